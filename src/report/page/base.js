/* Elements, numbers, colours. Nothing from outside becomes markup: texts go in as text nodes. */
const data = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("page");
const tip = document.getElementById("tip");

/* el("td", {class: "x", onclick: f}, "text", child ...) */
function fill(node, attributes, children) {
    for (const [key, value] of Object.entries(attributes || {})) {
        if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
        else if (key.startsWith("--")) node.style.setProperty(key, value);
        else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
    }
    for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) node.append(child);
    return node;
}
const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

const words = key => String(key).replace(/_/g, " ");

const methods = { simclr: "SimCLR", mocov1: "MoCo v1", mocov2: "MoCo v2", mocov3: "MoCo v3", byol: "BYOL", simsiam: "SimSiam", swav: "SwAV",
                  dino: "DINO", barlow: "Barlow Twins", vicreg: "VICReg", nnclr: "NNCLR", supcon: "SupCon", clip: "CLIP", simcse: "SimCSE" };

/* Headings of figures, what to look for in them, and whether they are shares. */
const known = {
    loss: ["Loss", "Falls fast, then slowly; flat from the start means that nothing is learned."],
    learning_rate: ["Learning rate", "Rises while warming up, then follows the schedule."],
    gradient_norm: ["Gradient norm", "Peaks are steps that could have gone wrong."],
    images_per_second: ["Samples a second", "Since the start of the session."],
    embedding_deviation: ["Deviation of embeddings", "1: spread evenly on the sphere. 0: collapsed."],
    effective_rank: ["Effective rank", "Dimensions that embeddings really use."],
    alignment: ["Alignment", "Squared distance of two views of a sample: lower is closer."],
    uniformity: ["Uniformity", "Lower: more evenly spread."],
    knn_accuracy: ["kNN accuracy", "Of frozen features, while training."],
    linear_accuracy: ["Linear accuracy", "Of a linear classifier on frozen features, while training."],
    knn: ["kNN", ""], linear: ["Linear probe", ""], f1: ["F1", ""], sts: ["Sentence similarity", ""],
    top1: ["Top-1", ""], top5: ["Top-5", ""], ece: ["Calibration error", ""], nmi: ["NMI", ""], ari: ["ARI", ""],
    map: ["mAP", ""], mrr: ["MRR", ""], auc: ["AUC", ""], roc_auc: ["ROC AUC", ""], dim: ["Dimensions", ""],
};
Object.setPrototypeOf(known, null);
function heading(key) {
    if (known[key]) return known[key][0];
    const text = words(key);
    return text.charAt(0).toUpperCase() + text.slice(1);
}
const shareKeys = /accuracy|precision|recall|f1|top\d|auc|r_at|r@|map|mrr|purity|iou|ap\d*$/i;
const isShare = (key, value) => shareKeys.test(key) && value >= 0 && value <= 1 && !/rank/.test(key);

function number(value, digits = 4) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (Number.isInteger(value)) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size >= 1e5 || (size > 0 && size < 1e-4)) return value.toExponential(2);
    return String(Number(value.toPrecision(digits)));
}
const percent = (share, digits = 1) => (100 * share).toFixed(digits) + " %";
const figure = (key, value) => (isShare(key, value) ? percent(value) : number(value));
function duration(seconds) {
    if (!(seconds >= 0)) return "–";
    if (seconds < 90) return seconds.toFixed(seconds < 10 ? 1 : 0) + " s";
    if (seconds < 5400) return Math.round(seconds / 60) + " min";
    return (seconds / 3600).toFixed(1) + " h";
}

function isDark() {
    const said = document.documentElement.dataset.theme;
    return said ? said === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
/* Colours of classes: ten that also the colour-blind tell apart, then hues by the golden angle. */
const ten = ["#4477aa", "#ee6677", "#2f9e5b", "#c9a227", "#55b6d9", "#aa3377", "#e07b39", "#8577d9", "#8a8f98", "#7a9a01"];
function colour(i, n) {
    if (i < 0) return isDark() ? "#5b606b" : "#b9bbc2";
    if (n <= ten.length) return ten[i];
    return `hsl(${(i * 137.508) % 360} 58% ${(isDark() ? 62 : 44) + (i % 3) * 6}%)`;
}

function showTip(x, y, ...children) {
    tip.replaceChildren(...children.filter(c => c !== null && c !== undefined));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 8)) + "px";
    tip.style.top = (y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18) + "px";
}
const hideTip = () => { tip.hidden = true; };

/* A section with a heading, in the page and in its contents. */
const contents = document.getElementById("contents");
function section(id, title, about, ...children) {
    contents.append(el("a", { href: "#" + id }, title));
    const made = el("section", { id, "aria-labelledby": id + "-title" },
        el("h2", { id: id + "-title" }, title), about ? el("p", { class: "about" }, about) : null, ...children);
    page.append(made);
    return made;
}

/* Buttons of which one is pressed; `choose` gets its value. */
function choices(label, options, choose) {
    const buttons = options.map(([value, text], i) => el("button", {
        type: "button", "aria-pressed": i === 0 ? "true" : "false",
        onclick: event => {
            buttons.forEach(b => b.setAttribute("aria-pressed", String(b === event.currentTarget)));
            choose(value);
        },
    }, text));
    return el("div", { class: "bar", role: "group", "aria-label": label }, el("label", {}, label), buttons);
}

/* Things that are drawn anew when the size or the theme changes. */
const redraws = [];
function redrawAll() { redraws.forEach(draw => draw()); }
