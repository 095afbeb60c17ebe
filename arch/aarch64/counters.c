/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/percpu.h>
#include <arch/counters.h>

/* Each CPU writes its own set only; a reader may see another CPU's count a moment late. */
struct arch_counters arch_counters_read(void)
{
	struct arch_counters sum = { 0 };

	for (unsigned int cpu = 0; cpu < STRATA_MAX_CPUS; cpu++) {
		const volatile struct arch_counters *counters = &percpu_data[cpu].state.counters;

		sum.tlbi_address += counters->tlbi_address;
		sum.tlbi_range += counters->tlbi_range;
		sum.tlbi_vmid += counters->tlbi_vmid;
		sum.tlbi_all += counters->tlbi_all;
		sum.dsb += counters->dsb;
		sum.isb += counters->isb;
		sum.stage2_loads += counters->stage2_loads;
	}
	return sum;
}
