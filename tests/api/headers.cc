// Every header by itself is C++, too.
#include <clcontrast/device.h>
#include <clcontrast/encoder.h>
#include <clcontrast/evaluate.h>
#include <clcontrast/log.h>
#include <clcontrast/search.h>
#include <clcontrast/status.h>
#include <clcontrast/train.h>

int main() { return clc_status_name(CLC_OK)[0] != 'O' || !clc_version()[0]; }
