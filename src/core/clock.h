/* The clock by which things are timed. */
#ifndef CLC_CORE_CLOCK_H
#define CLC_CORE_CLOCK_H

/* Seconds since some moment: they only go forward. */
double clc_seconds(void);

#endif
