/* The manual page and what shells complete, from the tables of commands, options, tasks and keys.
 */
#ifndef CLC_MANUAL_H
#define CLC_MANUAL_H

#include "commands.h"

/* Prints clcontrast(1) for man (groff_man(7)). */
void clc_manual_page(const clc_command *commands, size_t count, FILE *file);

/* Prints a script that completes words for "bash", "zsh" or "fish"; CLC_INVALID: another shell. */
clc_status clc_manual_completion(const clc_command *commands, size_t count, const char *shell,
                                 FILE *file);

#endif
