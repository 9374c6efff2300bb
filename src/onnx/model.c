#include "onnx/model.h"

#include "core/file.h"
#include "core/half.h"
#include "onnx/onnx.pb-c.h"

#include <limits.h>
#include <string.h>

/* IR version 8 came with opset 17, 9 with opset 19. */
static int ir_version(int opset) {
    return opset < 19 ? 8 : 9;
}

/* Messages, texts and arrays live until the model is freed. */
typedef struct block {
    struct block *next;
    max_align_t data[];
} block;

struct clc_onnx {
    block *blocks;
    clc_onnx_type numbers;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
};

static void *take(clc_onnx *m, size_t bytes) {
    block *b = calloc(1, sizeof *b + (bytes ? bytes : 1));
    if (!b) {
        clc_fail_alloc(bytes);
        return NULL;
    }
    b->next = m->blocks;
    m->blocks = b;
    return b->data;
}

/* `n` zeroed elements of the model's. */
#define TAKE(m, pointer, n)                                                                        \
    do {                                                                                           \
        (pointer) = take(m, (size_t)(n) * sizeof *(pointer));                                      \
        if (!(pointer))                                                                            \
            CLC_TRY(CLC_MEMORY);                                                                   \
    } while (0)

/* A message with the defaults of its kind. */
#define TAKE_MESSAGE(m, pointer, initialise)                                                       \
    do {                                                                                           \
        TAKE(m, pointer, 1);                                                                       \
        initialise(pointer);                                                                       \
    } while (0)

/* Appends to a repeated field, `count` of which are there; room doubles. */
#define APPEND(m, list, count, item)                                                               \
    do {                                                                                           \
        if (((count) & ((count)-1)) == 0) {                                                        \
            void *grown = take(m, ((count) ? 2 * (count) : 1) * sizeof *(list));                   \
            if (!grown)                                                                            \
                CLC_TRY(CLC_MEMORY);                                                               \
            if (count)                                                                             \
                memcpy(grown, list, (count) * sizeof *(list));                                     \
            (list) = grown;                                                                        \
        }                                                                                          \
        (list)[(count)++] = (item);                                                                \
    } while (0)

static clc_status copy_text(clc_onnx *m, const char *text, char **copy) {
    clc_status status = CLC_OK;
    const size_t bytes = strlen(text) + 1;
    TAKE(m, *copy, bytes);
    memcpy(*copy, text, bytes);
fail:
    return status;
}

clc_status clc_onnx_new(const char *name, int opset, clc_onnx_type numbers, clc_onnx **model) {
    clc_status status = CLC_OK;
    Onnx__OperatorSetIdProto *operators;
    clc_onnx *m = NULL;
    *model = NULL;
    CLC_NEW(m, 1);
    onnx__model_proto__init(&m->model);
    onnx__graph_proto__init(&m->graph);
    m->model.graph = &m->graph;
    m->model.has_ir_version = true;
    m->model.ir_version = ir_version(opset);
    m->numbers = numbers;
    CLC_TRY(copy_text(m, "clcontrast", &m->model.producer_name));
    CLC_TRY(copy_text(m, CLC_VERSION, &m->model.producer_version));
    CLC_TRY(copy_text(m, name, &m->graph.name));
    TAKE_MESSAGE(m, operators, onnx__operator_set_id_proto__init);
    CLC_TRY(copy_text(m, "", &operators->domain));
    operators->has_version = true;
    operators->version = opset;
    APPEND(m, m->model.opset_import, m->model.n_opset_import, operators);
    *model = m;
    m = NULL;
fail:
    clc_onnx_free(&m);
    return status;
}

void clc_onnx_free(clc_onnx **model) {
    if (!model || !*model)
        return;
    for (block *b = (*model)->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(*model);
    *model = NULL;
}

static clc_status add_attr(clc_onnx *m, Onnx__NodeProto *node, const clc_onnx_attr *from) {
    clc_status status = CLC_OK;
    Onnx__AttributeProto *a;
    TAKE_MESSAGE(m, a, onnx__attribute_proto__init);
    CLC_TRY(copy_text(m, from->name, &a->name));
    a->has_type = true;
    if (from->kind == CLC_ONNX_FLOAT) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        a->has_f = true;
        a->f = from->number;
    } else if (from->kind == CLC_ONNX_WORD) {
        char *text = NULL;
        CLC_TRY(copy_text(m, from->word, &text));
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        a->has_s = true;
        a->s = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
    } else if (from->kind == CLC_ONNX_INT) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        a->has_i = true;
        a->i = from->ints[0];
    } else {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        a->n_ints = (size_t)from->count;
        TAKE(m, a->ints, from->count);
        memcpy(a->ints, from->ints, a->n_ints * sizeof *a->ints);
    }
    APPEND(m, node->attribute, node->n_attribute, a);
fail:
    return status;
}

clc_status clc_onnx_add(clc_onnx *m, const clc_onnx_node *from) {
    clc_status status = CLC_OK;
    Onnx__NodeProto *node;
    char *text = NULL;
    TAKE_MESSAGE(m, node, onnx__node_proto__init);
    CLC_TRY(copy_text(m, from->op, &node->op_type));
    for (int i = 0; i < CLC_ONNX_INPUTS && from->in[i]; i++) {
        CLC_TRY(copy_text(m, from->in[i], &text));
        APPEND(m, node->input, node->n_input, text);
    }
    CLC_TRY(copy_text(m, from->out, &node->name));
    APPEND(m, node->output, node->n_output, node->name);
    for (const clc_onnx_attr *a = from->attrs; a && a->name; a++)
        CLC_TRY(add_attr(m, node, a));
    APPEND(m, m->graph.node, m->graph.n_node, node);
fail:
    return status;
}

clc_onnx_type clc_onnx_numbers(const clc_onnx *m) {
    return m->numbers;
}

bool clc_onnx_has(const clc_onnx *m, const char *name) {
    for (size_t i = 0; i < m->graph.n_node; i++)
        if (!strcmp(m->graph.node[i]->output[0], name))
            return true;
    for (size_t i = 0; i < m->graph.n_initializer; i++)
        if (!strcmp(m->graph.initializer[i]->name, name))
            return true;
    return false;
}

/* *data receives the place of its elements, `size` bytes each. */
static clc_status add_constant(clc_onnx *m, const char *name, clc_onnx_type type, int rank,
                               const int64_t *dims, size_t size, void **data) {
    clc_status status = CLC_OK;
    Onnx__TensorProto *t;
    TAKE_MESSAGE(m, t, onnx__tensor_proto__init);
    CLC_TRY(copy_text(m, name, &t->name));
    t->has_data_type = true;
    t->data_type = (int)type;
    t->n_dims = (size_t)rank;
    TAKE(m, t->dims, rank);
    for (int i = 0; i < rank; i++) {
        t->dims[i] = dims[i];
        size *= (size_t)dims[i];
    }
    t->has_raw_data = true;
    t->raw_data.len = size;
    TAKE(m, t->raw_data.data, size);
    *data = t->raw_data.data;
    APPEND(m, m->graph.initializer, m->graph.n_initializer, t);
fail:
    return status;
}

static size_t count_of(int rank, const int64_t *dims) {
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    return count;
}

static clc_status add_halves(clc_onnx *m, const char *name, int rank, const int64_t *dims,
                             const float *values) {
    clc_status status = CLC_OK;
    void *data;
    uint16_t *halves;
    CLC_TRY(add_constant(m, name, CLC_ONNX_FLOAT16, rank, dims, sizeof *halves, &data));
    halves = data;
    for (size_t i = 0; i < count_of(rank, dims); i++)
        if (!clc_half_from_float(values[i], &halves[i]))
            return clc_fail(CLC_INVALID,
                            "%s: a value of %g is more than 16 bits hold, 65504; leave --fp16 out",
                            name, (double)values[i]);
fail:
    return status;
}

clc_status clc_onnx_floats(clc_onnx *m, const char *name, int rank, const int64_t *dims,
                           const float *values) {
    return m->numbers == CLC_ONNX_FLOAT16 ? add_halves(m, name, rank, dims, values)
                                          : clc_onnx_exact(m, name, rank, dims, values);
}

/* Elements of `size` bytes. */
static clc_status add_copy(clc_onnx *m, const char *name, clc_onnx_type type, int rank,
                           const int64_t *dims, const void *values, size_t size) {
    void *data;
    const clc_status status = add_constant(m, name, type, rank, dims, size, &data);
    if (status == CLC_OK)
        memcpy(data, values, count_of(rank, dims) * size);
    return status;
}

clc_status clc_onnx_exact(clc_onnx *m, const char *name, int rank, const int64_t *dims,
                          const float *values) {
    return add_copy(m, name, CLC_ONNX_FLOAT32, rank, dims, values, sizeof *values);
}

clc_status clc_onnx_doubles(clc_onnx *m, const char *name, int rank, const int64_t *dims,
                            const double *values) {
    return add_copy(m, name, CLC_ONNX_FLOAT64, rank, dims, values, sizeof *values);
}

clc_status clc_onnx_ints(clc_onnx *m, const char *name, int rank, const int64_t *dims,
                         const int64_t *values) {
    return add_copy(m, name, CLC_ONNX_INT64, rank, dims, values, sizeof *values);
}

static clc_status make_value(clc_onnx *m, const char *name, clc_onnx_type type, int rank,
                             const clc_onnx_dim *dims, Onnx__ValueInfoProto **value) {
    clc_status status = CLC_OK;
    Onnx__TypeProto__Tensor *tensor;
    TAKE_MESSAGE(m, *value, onnx__value_info_proto__init);
    CLC_TRY(copy_text(m, name, &(*value)->name));
    TAKE_MESSAGE(m, (*value)->type, onnx__type_proto__init);
    TAKE_MESSAGE(m, tensor, onnx__type_proto__tensor__init);
    (*value)->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    (*value)->type->tensor_type = tensor;
    tensor->has_elem_type = true;
    tensor->elem_type = (int)type;
    TAKE_MESSAGE(m, tensor->shape, onnx__tensor_shape_proto__init);
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim;
        TAKE_MESSAGE(m, dim, onnx__tensor_shape_proto__dimension__init);
        if (dims[i].name) {
            dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            CLC_TRY(copy_text(m, dims[i].name, &dim->dim_param));
        } else {
            dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            dim->dim_value = dims[i].length;
        }
        APPEND(m, tensor->shape->dim, tensor->shape->n_dim, dim);
    }
fail:
    return status;
}

clc_status clc_onnx_input(clc_onnx *m, const char *name, clc_onnx_type type, int rank,
                          const clc_onnx_dim *dims) {
    clc_status status = CLC_OK;
    Onnx__ValueInfoProto *value;
    CLC_TRY(make_value(m, name, type, rank, dims, &value));
    APPEND(m, m->graph.input, m->graph.n_input, value);
fail:
    return status;
}

clc_status clc_onnx_output(clc_onnx *m, const char *name, int rank, const clc_onnx_dim *dims) {
    clc_status status = CLC_OK;
    Onnx__ValueInfoProto *value;
    CLC_TRY(make_value(m, name, CLC_ONNX_FLOAT32, rank, dims, &value));
    APPEND(m, m->graph.output, m->graph.n_output, value);
fail:
    return status;
}

clc_status clc_onnx_metadata(clc_onnx *m, const char *key, const char *value) {
    clc_status status = CLC_OK;
    Onnx__StringStringEntryProto *entry;
    TAKE_MESSAGE(m, entry, onnx__string_string_entry_proto__init);
    CLC_TRY(copy_text(m, key, &entry->key));
    CLC_TRY(copy_text(m, value, &entry->value));
    APPEND(m, m->model.metadata_props, m->model.n_metadata_props, entry);
fail:
    return status;
}

/* protobuf-c hands the bytes over piece by piece; the first failure stays. */
typedef struct sink {
    ProtobufCBuffer base;
    clc_file_writer *file;
    clc_status status;
} sink;

static void append_to_sink(ProtobufCBuffer *base, size_t n, const uint8_t *data) {
    sink *s = (sink *)base;
    if (s->status == CLC_OK)
        s->status = clc_file_writer_write(s->file, data, n);
}

clc_status clc_onnx_write(const clc_onnx *m, const char *path) {
    clc_status status = CLC_OK;
    sink s = {.base = {append_to_sink}, .status = CLC_OK};
    const size_t bytes = onnx__model_proto__get_packed_size(&m->model);
    if (bytes > INT_MAX)
        return clc_fail(CLC_INVALID, "%s: %zu bytes are more than the 2 GB that an ONNX file holds",
                        path, bytes);
    CLC_TRY(clc_file_writer_open(path, &s.file));
    onnx__model_proto__pack_to_buffer(&m->model, &s.base);
    CLC_TRY(s.status);
    CLC_TRY(clc_file_writer_commit(&s.file));
fail:
    clc_file_writer_abort(&s.file);
    return status;
}
