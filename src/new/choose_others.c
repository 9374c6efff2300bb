/* Choices for texts, series, and pictures with captions: those of the project's own configurations
 * of these kinds. */
#include "new/choose.h"

clc_status clc_choose_texts(clc_recipe *recipe, const clc_facts *facts) {
    static const char *const rows[][3] = {
        {"data.as", "tokens", "texts"},
        {"tokens.tokenizer", "bpe", "parts of words, learned from these texts"},
        {"encoder.name", "transformer", ""},
        {"encoder.width", "128",
         "small: texts are few and devices slow; 256 and more for millions"},
        {"encoder.depth", "2", "layers"},
        {"encoder.heads", "4", ""},
        {"encoder.bidirectional", "true", "each token sees those behind it, too"},
        {"encoder.pooling", "mean", ""},
        {"encoder.dropout", "0.1", "what makes two views of the same text"},
        {"projector.hidden", "", ""},
        {"projector.output", "128", ""},
        {"method.name", "simcse", "made for sentences"},
        {"loss.temperature", "0.05", ""},
        {"optimizer.name", "adamw", "for transformers"},
        {"optimizer.learning_rate_scale", "none", ""},
        {"optimizer.weight_decay", "0.01", ""},
        {NULL, NULL, NULL}};
    clc_status status = CLC_OK;
    const bool pairs = facts->texts_each > 1;
    CLC_TRY(clc_choose_test(recipe, facts, facts->labelled));
    CLC_TRY(clc_recipe_put_all(recipe, rows));
    CLC_TRY(clc_recipe_put(recipe, "optimizer.learning_rate", pairs ? "0.002" : "0.0005",
                           pairs ? "texts of a row find each other"
                                 : "low: a text finds itself, which is soon learned"));
fail:
    return status;
}

clc_status clc_choose_series(clc_recipe *recipe, const clc_facts *facts) {
    static const char *const rows[][3] = {
        {"data.as", "series", ""},
        {"series.crop", "1", "views are spans, at other speeds, with noise"},
        {"series.crop_range", "0.4, 1", ""},
        {"series.warp", "0.8", ""},
        {"series.jitter", "0.3", ""},
        {"encoder.name", "gru", "reads step by step; conv1d is faster where series are long"},
        {"encoder.width", "128", ""},
        {"encoder.bidirectional", "true", ""},
        {"encoder.pooling", "mean", ""},
        {"projector.hidden", "256", ""},
        {"projector.output", "128", ""},
        {"method.name", "simclr", "needs no labels"},
        {"loss.temperature", "0.2", ""},
        {"optimizer.name", "adamw", "for recurrent networks"},
        {"optimizer.learning_rate", "0.003", ""},
        {"optimizer.learning_rate_scale", "none", ""},
        {"optimizer.weight_decay", "0.0001", ""},
        {NULL, NULL, NULL}};
    clc_status status = CLC_OK;
    const int long_series = 200;
    CLC_TRY(clc_choose_test(recipe, facts, facts->labelled));
    CLC_TRY(clc_recipe_put_all(recipe, rows));
    if (facts->longest > long_series)
        CLC_TRY(clc_recipe_put(recipe, "encoder.name", "conv1d",
                               "series are long, up to %d steps: convolutions take them at once",
                               facts->longest));
    if (facts->channels > 2)
        CLC_TRY(clc_recipe_put(recipe, "series.drop", "0.8", "some of the %d channels are left out",
                               facts->channels));
fail:
    return status;
}

clc_status clc_choose_pairs(clc_recipe *recipe, const clc_facts *facts) {
    static const char *const rows[][3] = {
        {"data.as", "pairs", "pictures with captions"},
        {"augmentation.crop_scale", "0.5, 1", "captions are of whole pictures"},
        {"augmentation.jitter", "0", "captions name colours"},
        {"augmentation.grey", "0", ""},
        {"projector.hidden", "", ""},
        {"projector.bias", "false", ""},
        {"projector.output", "128", "width in which pictures and texts meet"},
        {"text_encoder.name", "transformer", ""},
        {"text_encoder.width", "128", ""},
        {"text_encoder.depth", "2", ""},
        {"text_encoder.heads", "4", ""},
        {"text_encoder.context", "48", "tokens of a caption at most"},
        {"text_projector.output", "128", ""},
        {"method.name", "clip", "pictures find their captions, captions their pictures"},
        {"loss.temperature", "0.07", "at first: it is learned"},
        {"optimizer.name", "adamw", "for transformers"},
        {"optimizer.learning_rate", "0.001", ""},
        {"optimizer.learning_rate_scale", "none", ""},
        {"optimizer.beta2", "0.98", ""},
        {"optimizer.epsilon", "1e-6", ""},
        {"optimizer.weight_decay", "0.1", ""},
        {NULL, NULL, NULL}};
    clc_status status = CLC_OK;
    if (!facts->divides)
        CLC_TRY(clc_recipe_put(recipe, "data.test_fraction", "0.1",
                               "a tenth, by name, is kept to test how pictures find captions"));
    CLC_TRY(clc_choose_network(recipe, facts, facts->gpu ? 96 : 64));
    CLC_TRY(clc_recipe_put_all(recipe, rows));
fail:
    return status;
}
