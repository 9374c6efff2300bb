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

/* Tasks in the order in which they came: every object in a row, but reasons why there is none, and what
 * the section on cost shows. */
function taskNames() {
    const names = [];
    for (const row of rows)
        for (const [key, value] of Object.entries(row))
            if (isObject(value) && !["skipped", "failed", "cost"].includes(key) && scalars(value).length && !names.includes(key)) names.push(key);
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

function beside(task, key) {
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
        const [task, key, name] = main, said = beside(task, key);
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

/* 1234567 "FLOP" -> "1.23 MFLOP" */
function amount(value, unit) {
    const [by, prefix] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"]]
        .find(([by]) => Math.abs(value) >= by) || [1, ""];
    return `${number(value / by, 3)} ${prefix}${unit}`;
}

/* What training told of itself, session by session: the cost task's figures where it ran. */
function trainingCost(task) {
    const events = data.events.filter(e => e.event === "cost");
    const total = key => events.reduce((all, e) => (typeof e[key] === "number" ? (all || 0) + e[key] : all), null);
    const most = events.reduce((all, e) => Math.max(all, e.device_megabytes || 0), 0);
    const of = (key, told) => (typeof task[key] === "number" ? task[key] : told);
    return { joules: of("train_joules", total("joules")), megabytes: of("train_megabytes", most || null), rate: of("train_per_second", null) };
}

function costLines() {
    const lines = [], add = (what, value, say) => { if (typeof value === "number" && value > 0) lines.push([what, say(value)]); };
    const unit = data.run.unit || (samples && samples.unit) || "samples", one = unit === "series" ? unit : unit.replace(/s$/, "");
    const task = encoderRow && isObject(encoderRow.cost) ? encoderRow.cost : {}, training = trainingCost(task);
    const last = values => { const some = (values || []).filter(v => v > 0); return some[some.length - 1]; };
    add("Parameters of the encoder", task.parameters, number);
    add(`Arithmetic per ${one}`, task.flops, v => amount(v, "FLOP"));
    add("Training, wall clock", data.run.seconds, duration);
    add("Training, steps", last(data.rows.step), number);
    add(`Training, ${unit} a second`, last(data.rows.images_per_second) || training.rate, v => number(Math.round(v)));
    add("Training, memory of the device", training.megabytes, v => amount(v * 1e6, "B"));
    add("Training, energy", training.joules, v => amount(v, "J"));
    add("Waited for data", data.events.filter(e => e.event === "loader").reduce((all, e) => all + (e.loader_wait || 0), 0), v => (v > 0.05 ? duration(v) : "hardly"));
    add(`Embedding, ${unit} a second`, task.embed_per_second, v => number(Math.round(v)));
    add("Embedding, memory of the device", task.device_megabytes, v => amount(v * 1e6, "B"));
    add(`Embedding, energy per ${one}`, task.embed_joules, v => amount(v, "J"));
    for (const row of rows) add(`Evaluation of the ${row.features}`, row.seconds, duration);
    return lines;
}

function showCost() {
    const lines = costLines();
    if (!lines.length) return;
    section("cost", "Cost", encoderRow && isObject(encoderRow.cost) ? null : "Parameters, arithmetic and the speed of embedding are measured by the task cost.",
        el("div", { class: "card" }, el("table", {}, el("tbody", {},
            lines.map(([what, value]) => el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, value)))))));
}
