/* SPDX-License-Identifier: BSD-3-Clause */
/* What assembly knows of vcpu.h; checked against it in vcpu_run.c. */
#pragma once

/* enum vcpu_exit_reason */
#define VCPU_REASON_SYNCHRONOUS 0
#define VCPU_REASON_IRQ 1
#define VCPU_REASON_FIQ 2
#define VCPU_REASON_SERROR 3

/* Offsets into struct vcpu */
#define VCPU_X 0
#define VCPU_PC 248 /* and pstate after it */
#define VCPU_V 272
#define VCPU_FPCR 784 /* and fpsr after it */
