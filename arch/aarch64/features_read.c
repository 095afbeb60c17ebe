/* SPDX-License-Identifier: BSD-3-Clause */
#include <aarch64/features.h>
#include <aarch64/registers.h>
#include <stdatomic.h>

static struct arch_features features;
static atomic_bool is_read;

static struct arch_features read_here(void)
{
	const struct id_registers id = {
		.midr_el1 = register_read(midr_el1),
		.id_aa64isar0_el1 = register_read(id_aa64isar0_el1),
		.id_aa64mmfr0_el1 = register_read(id_aa64mmfr0_el1),
		.id_aa64mmfr1_el1 = register_read(id_aa64mmfr1_el1),
		.id_aa64mmfr2_el1 = register_read(REGISTER_ID_AA64MMFR2_EL1),
	};

	return features_decode(&id);
}

/* The first caller is the boot CPU, alone; a host that starts others asks features_suffice_here on each. */
const struct arch_features *arch_features(void)
{
	if (!atomic_load_explicit(&is_read, memory_order_acquire)) {
		features = read_here();
		atomic_store_explicit(&is_read, true, memory_order_release);
	}
	return &features;
}

bool features_suffice_here(void)
{
	const struct arch_features here = read_here();

	return features_suffice(&here, arch_features());
}
