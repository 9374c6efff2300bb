/* Any loss on pairs (triplet, contrastive, N-pair, logistic, InfoNCE, CLIP ...) on two views of
 * each image through one encoder and projector; with method.labels on the labels' pairs instead of
 * the views'. */
#include "method/method.h"

const clc_method clc_method_pair = {.name = "pair", .loss = "ntxent"};
