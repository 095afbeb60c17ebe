/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Start: no list has an id. */
void frame_list_ids_reset(void);
