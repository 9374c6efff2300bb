#include "eval/report.h"

#include "core/file.h"
#include "core/log.h"
#include "report/table.h"

#include <jansson.h>
#include <stdio.h>

static void print_all(const clc_evaluation_row *rows, size_t n, FILE *file);
