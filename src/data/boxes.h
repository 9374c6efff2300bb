/* Files of boxes: COCO's JSON, and folders of Pascal VOC's XML. */
#ifndef CLC_DATA_BOXES_H
#define CLC_DATA_BOXES_H

#include "core/names.h"
#include "data/box.h"

typedef struct clc_boxes {
    clc_name_set pictures; /* those that are spoken of, without folders and ending; objects' `image`
                              is the number here */
    clc_name_set classes;  /* by label */
    clc_object *objects; /* as the file has them: boxes may be empty or reach beyond the picture */
    size_t count, capacity;
} clc_boxes;

/* Reads `path`, a .json file or a folder of .xml files. Classes are numbered as `known` (NULL:
 * none) has them; then those that are new, of COCO in the order of their ids, of VOC by name.
 * VOC's objects that are marked difficult count as crowds. Free it also after a failure, whose
 * message names the file and what is wrong there. */
clc_status clc_boxes_read(const char *path, const clc_names *known, clc_boxes *boxes);
void clc_boxes_free(clc_boxes *boxes);

/* For the readers. */
clc_status clc_boxes_add(clc_boxes *boxes, const clc_object *object);
clc_status clc_boxes_read_coco(const char *path, clc_boxes *boxes);
clc_status clc_boxes_read_voc(const char *folder, clc_boxes *boxes);

/* The number of a picture by its path: `length` of it is what stands between the last slash and the
 * last point behind it. */
const char *clc_boxes_stem(const char *path, size_t *length);

#endif
