/* Evaluation: a table of each task, rows being kinds of features; the summary; what it cost. */
const rows = Array.isArray(data.evaluation) ? data.evaluation.filter(r => r && typeof r === "object") : [];
const encoderRow = rows.find(r => r.features === "encoder") || rows[rows.length - 1];
const isObject = v => v !== null && typeof v === "object" && !Array.isArray(v);

/* Numbers of a result, nested ones as "outer inner". */
function scalars(result, prefix = "") {
    const found = [];
    for (const [key, value] of Object.entries(result)) {
        if (typeof value === "number") found.push([prefix + key, value]);
        else if (isObject(value)) found.push(...scalars(value, prefix + key + " "));
    }
    return found;
}

/* Tasks in the order in which they came: every object in a row, but reasons why there is none. */
function taskNames() {
    const names = [];
    for (const row of rows)
        for (const [key, value] of Object.entries(row))
            if (isObject(value) && key !== "skipped" && scalars(value).length && !names.includes(key)) names.push(key);
    return names;
}

/* Whether less is better, by name. */
const lessIsBetter = /rank|error|ece|loss|seconds|drop|uniformity|alignment/i;

function taskTable(task) {
    const results = rows.filter(r => isObject(r[task]));
    const keys = [...new Set(results.flatMap(r => scalars(r[task]).map(([key]) => key)))].slice(0, 14);
    const of = row => Object.fromEntries(scalars(row[task]));
    const best = {};
    for (const key of keys) {
        const values = results.map(r => of(r)[key]).filter(v => v !== undefined);
        best[key] = (lessIsBetter.test(key) ? Math.min : Math.max)(...values);
    }
    const cell = (key, value) => {
        if (value === undefined) return el("td", {}, "");
        const share = isShare(key, value);
        const text = figure(key, value);
        return el("td", { class: share ? "meter" : null, "--share": share ? value.toFixed(4) : "0" },
            results.length > 1 && value === best[key] && !Number.isInteger(value) ? el("b", {}, text) : text);
    };
    return el("div", { class: "card" }, el("h3", {}, heading(task)), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heading(task) },
        el("table", {},
            el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "features"), keys.map(k => el("th", { scope: "col" }, words(k))))),
            el("tbody", {}, results.map(r => el("tr", {}, el("th", { scope: "row" }, r.features || "?"), keys.map(k => cell(k, of(r)[k]))))))));
}

function skippedNotes() {
    const said = new Map();
    for (const row of rows)
        for (const [task, why] of Object.entries(isObject(row.skipped) ? row.skipped : {})) said.set(task, why);
    return [...said].map(([task, why]) => el("p", { class: "note" }, el("b", {}, heading(task)), " was left out: ", String(why)));
}

/* The figure by which the summary compares features: [task, key, heading]. */
function mainFigure() {
    const wanted = [["knn", "accuracy", "kNN"], ["linear", "accuracy", "a linear probe"]];
    for (const [task, key, name] of wanted)
        if (encoderRow && isObject(encoderRow[task]) && typeof encoderRow[task][key] === "number") return [task, key, name];
    return null;
}

function comparison(task, key) {
    const of = name => rows.find(r => r !== encoderRow && String(r.features).includes(name));
    const mine = encoderRow[task][key], said = [];
    for (const [name, phrase] of [["untrained", "before training"], ["raw", "raw data"], ["bag", "a bag of tokens"], ["histogram", "colour histograms"]]) {
        const row = of(name);
        if (!row || !isObject(row[task]) || typeof row[task][key] !== "number") continue;
        const points = 100 * (mine - row[task][key]);
        said.push(Math.abs(points) < 0.05 ? `as much as ${phrase}` : `${Math.abs(points).toFixed(1)} points ${points >= 0 ? "more" : "less"} than ${phrase}`);
    }
    return said;
}

function summary() {
    const run = data.run, steps = data.rows.step.length ? data.rows.step[data.rows.step.length - 1] : 0;
    const encoder = run.encoder === "custom" ? "an encoder of its own" : run.encoder || "an encoder";
    const parts = [el("b", {}, methods[run.method] || run.method || "Training"), " trained ", el("b", {}, encoder)];
    if (data.rows.epoch) parts.push(` for ${number(data.rows.epoch[data.rows.epoch.length - 1])} epochs (${number(steps)} steps)`);
    if (run.seconds > 0) parts.push(` in ${duration(run.seconds)}`);
    parts.push(". ");
    const main = mainFigure();
    if (main) {
        const [task, key, name] = main, said = comparison(task, key);
        parts.push("Frozen features are right on ", el("b", {}, percent(encoderRow[task][key])), ` by ${name}`,
            said.length ? ": " + said.join(", ") + "." : ".");
    } else if (data.rows.loss && data.rows.loss.length) {
        const { loss } = data.rows;
        parts.push(`The loss went from ${number(loss[0])} to `, el("b", {}, number(loss[loss.length - 1])), ".");
    }
    return el("p", { class: "lead" }, parts);
}

function tiles() {
    const made = [], add = (value, what) => made.push(el("div", { class: "tile" }, el("div", { class: "value" }, value), el("div", { class: "what" }, what)));
    if (encoderRow) {
        for (const task of taskNames()) {
            const result = encoderRow[task];
            const share = isObject(result) && scalars(result).find(([key, value]) => isShare(key, value) && !/queries|among/.test(key));
            if (share && made.length < 4) add(percent(share[1]), `${heading(task)}: ${words(share[0])}`);
        }
        if (encoderRow.dim) add(number(encoderRow.dim), "dimensions of a feature");
    }
    const last = key => { const v = (data.rows[key] || []).filter(x => x !== null); return v.length ? v[v.length - 1] : null; };
    if (last("loss") !== null) add(number(last("loss")), "loss at the end");
    if (last("effective_rank") !== null) add(number(last("effective_rank"), 3), "effective rank of embeddings");
    if (last("images_per_second") !== null) add(number(Math.round(last("images_per_second"))), `${data.run.unit || "samples"} a second`);
    return el("div", { class: "tiles" }, made.slice(0, 8));
}

function showEvaluation() {
    const tasks = taskNames();
    if (!tasks.length) {
        if (data.evaluation_error) section("evaluation", "Evaluation", null, el("p", { class: "note" }, data.evaluation_error));
        return;
    }
    section("evaluation", "Evaluation", "What frozen features are worth beside baselines: the best value of a column is bold.",
        tasks.map(taskTable), skippedNotes());
}

function showCost() {
    const timed = rows.filter(r => typeof r.seconds === "number");
    const lines = [];
    const add = (what, value) => { if (value !== null && value !== undefined) lines.push([what, value]); };
    add("Training, wall clock", data.run.seconds > 0 ? duration(data.run.seconds) : null);
    add("Steps", data.rows.step.length ? number(data.rows.step[data.rows.step.length - 1]) : null);
    const rate = (data.rows.images_per_second || []).filter(v => v > 0);
    add(`${heading(data.run.unit || "samples")} a second`, rate.length ? number(Math.round(rate[rate.length - 1])) : null);
    for (const row of timed) add(`Evaluation of the ${row.features}`, duration(row.seconds));
    const waits = data.events.filter(e => e.event === "loader").reduce((sum, e) => sum + (e.loader_wait || 0), 0);
    if (waits > 0.05) add("Waited for data", duration(waits));
    if (!lines.length) return;
    section("cost", "Cost", null, el("div", { class: "card" }, el("table", {}, el("tbody", {},
        lines.map(([what, value]) => el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, value)))))));
}
