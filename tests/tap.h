/* The Test Anything Protocol where cmocka has another idea of it. */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

/* To be called first in main, where tests may be skipped: the caller goes on as a child, whose
 * output its parent passes on. cmocka 1.1.5 prints "not ok 3 # SKIP name" for a skipped test, which
 * counts as failed; it becomes "ok 3 - name # SKIP". */
void tap_begin(void);

#endif
