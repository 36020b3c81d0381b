// The exporter's own page: asks for what the exporter has sampled, and draws it. No library, nothing from elsewhere.
// Top to bottom: what was sampled, what is computed of it, tiles, plots, the loop that asks. Deliberately not here:
// rules for alerts, which are in docs/metrics.md; where a tile changes its colour follows them.

const HISTORY_SECS = 15 * 60;
const RATE_SECS = 10; // For how long rates are taken: the services are asked every five seconds, less would show that.
const ANSWER_TIMEOUT_MILLIS = 5_000;
const PAUSE_MAX_SECS = 10;
const SERIES_MAX = 6; // As many colours as can be told apart; what is less busy is summed up.

// What was sampled.
let samples = []; // Oldest first. Each knows the first one since which there was no gap.
let interval = 2;
let next = 0;
let answered = Date.now(); // When the exporter did last.
let away = false; // Whether it has failed to since.
let pointed = { sample: null, plot: null };
const shownSecs = () => 60 * document.forms.range.elements.minutes.value;

function keep(reply) {
  ({ interval_secs: interval, next } = reply);
  answered = Date.now();
  for (const sample of reply.samples) {
    const last = samples.at(-1);
    sample.unbroken = last && sample.at - last.at <= 2.5 * interval ? last.unbroken : sample;
    samples.push(sample);
  }
  samples = samples.filter(({ at }) => at >= samples.at(-1).at - HISTORY_SECS - RATE_SECS);
}

/** The series of a family that have these labels, `name="value"`, none of which Koe writes with an escape. */
function find(name, ...labels) {
  const fits = (series) => labels.every((label) => series.includes(`{${label}`) || series.includes(`,${label}`));
  const seen = Object.keys(samples.at(-1)?.values ?? {}); // What was seen once is in every sample from then on.
  return seen.filter((series) => (series === name || series.startsWith(`${name}{`)) && fits(series));
}

// What is computed of it: columns, with one value for each sample, null where there is none.

/** How fast a counter grew until each sample: unknown over a gap, after a start, and where the counter began again. */
function rate(series) {
  const back = Math.ceil(RATE_SECS / interval);
  return samples.map(({ at, values, unbroken }, index) => {
    const since = samples[index - back];
    const grown = since?.at >= unbroken.at ? values[series] - since.values[series] : NaN;
    return grown >= 0 ? grown / (at - since.at) : null;
  });
}

const plus = (one, other) => (one === null ? other : one + other);
const sum = (columns) => samples.map((_, index) => columns.map((column) => column[index]).reduce(plus, null));
const rates = (families, ...labels) => sum(families.flatMap((name) => find(name, ...labels)).map(rate));

/** Mean milliseconds of what happened lately, of a counter of seconds and one of how often it did. */
function mean(seconds, counts, ...labels) {
  const [spent, times] = [rates(seconds, ...labels), rates(counts, ...labels)];
  return spent.map((value, index) => (value !== null && times[index] > 0 ? (1000 * value) / times[index] : null));
}

/** The rates of families as one series for each value of a label. */
function ratesBy(label, families, ...labels) {
  const found = families.flatMap((name) => find(name, ...labels));
  const names = new Set(found.map((series) => series.split(`${label}="`)[1].split('"')[0]));
  return Array.from(names, (name) => ({ name, values: rates(families, `${label}="${name}"`, ...labels) }));
}

/** The busiest series, and the sum of the others. */
function busiest(series, most = SERIES_MAX) {
  const total = ({ values }) => values.reduce((all, value) => all + value, 0);
  const named = series.filter((one) => one.name !== "other" && total(one) > 0);
  const top = named.sort((one, other) => total(other) - total(one)).slice(0, most);
  const rest = series.filter((one) => !top.includes(one));
  const others = { name: top.length ? "others" : "all", values: sum(rest.map(({ values }) => values)) };
  return rest.length && (total(others) > 0 || !top.length) ? [...top, others] : top;
}

/** What became of commands: by code where the writer runs in this process, else as its service says. */
function outcomes() {
  const counted = (role) => `koe_${role}_requests_total`;
  const codes = ratesBy("code", ["comments", "votes"].map(counted));
  const outside = ["comments", "votes"].filter((role) => !find(counted(role)).length);
  const of = (role, kind) => rates([`koe_exporter_service_${kind}_total`], `service="koe-${role}"`);
  const named = (role) => Object.entries({ requests: role, errors: `${role}: errors` });
  const told = outside.flatMap((role) => named(role).map(([kind, name]) => ({ name, values: of(role, kind) })));
  const decided = codes.map(({ name, values }) => ({ name: name === "ok" ? "accepted" : name, values }));
  return [...told, ...busiest(decided, SERIES_MAX - told.length)];
}

function durations() {
  const service = ["processing_seconds", "requests"].map((kind) => [`koe_exporter_service_${kind}_total`]);
  const stage = (...of) => ["sum", "count"].map((part) => of.map((name) => `koe_${name}_duration_seconds_${part}`));
  const means = {
    comments: mean(...service, 'service="koe-comments"'),
    votes: mean(...service, 'service="koe-votes"'),
    publish: mean(...stage("comments_publish", "votes_publish")),
    "fold step": mean(...stage("projector_step")),
    flush: mean(...stage("projector_flush")),
  };
  return Object.entries(means).map(([name, values]) => ({ name, values }));
}

// How things are written and made.
const clock = (at, style = "medium") => new Date(at * 1000).toLocaleTimeString("en-GB", { timeStyle: style });
const whole = (value) => value?.toLocaleString("en", { maximumFractionDigits: 0 }) ?? "?";
const short = (value) =>
  value.toLocaleString("en", { maximumSignificantDigits: 3, notation: value < 10_000 ? "standard" : "compact" });
const decimal = (value) => (value < 0.1 || value >= 100 ? short(value) : value.toFixed(1));
const span = (secs) => (secs < 600 ? `${decimal(secs)} s` : `${whole(secs / 60)} min`);
const bytes = (value, [unit, ...larger] = ["B", "kB", "MB", "GB", "TB"]) =>
  value < 1000 || !larger.length ? `${short(value)} ${unit}` : bytes(value / 1000, larger);

const make = (space) => (name, attributes = {}, ...children) => {
  const made = document.createElementNS(space, name);
  Object.entries(attributes).forEach(([attribute, value]) => made.setAttribute(attribute, value));
  made.append(...children);
  return made;
};
const html = make("http://www.w3.org/1999/xhtml");
const svg = make("http://www.w3.org/2000/svg");

// Tiles: the gauges that each shows, and what it makes of them: a state, a value, what stands below, perhaps a word.
const instances = (role) => [[`service_instances{service="koe-${role}"}`], (count) =>
  [count > 0 ? "ok" : "down", whole(count), count === 1 ? "instance" : "instances"]];
const TILES = {
  Comments: instances("comments"),
  Votes: instances("votes"),
  Queries: instances("queries"),
  Projector: [["projector_up", "projector_generation"], (up, generation) => {
    const serves = generation > 0 ? `generation ${generation}` : "serves nothing";
    return up > 0 ? [generation > 0 ? "ok" : "late", "up", serves] : ["down", "silent", serves];
  }],
  Lag: [["lag_seconds", "lag_events"], (age, many) => [age > 10 ? "late" : "ok", span(age), `${whole(many)} events`]],
  "Log's end": [["log_end_seen_timestamp_seconds", "log_end_sequence"], (seen, end) => {
    const age = Math.max(0, samples.at(-1).at - seen);
    return [age > 30 ? "down" : age > 10 ? "late" : "ok", `${span(age)} ago`, `at ${whole(end)}`];
  }],
  "Log's size": [["log_bytes", "log_max_bytes"], (size, room) => {
    const full = size > 0.9 * room;
    return [full ? "late" : "ok", bytes(size), room ? `of ${bytes(room)}` : "no limit", full && "tight"];
  }],
  Frozen: [["frozen_threads"], (count) =>
    [count > 0 ? "down" : "ok", whole(count), count === 1 ? "thread" : "threads", count > 0 && "stuck"]],
};

function drawTiles() {
  const tiles = Object.entries(TILES).map(([label, [gauges, look]]) => {
    const values = gauges.map((name) => samples.at(-1)?.values[`koe_exporter_${name}`]);
    const [state, value, detail, word] = values[0] === undefined ? ["none", "–", "not seen yet"] : look(...values);
    const head = html("p", {}, label, html("span", { class: "word" }, away ? "old" : word || state));
    const how = { class: "tile", "data-state": away ? "none" : state };
    return html("li", how, head, html("strong", {}, value), html("p", {}, detail));
  });
  document.getElementById("tiles").replaceChildren(...tiles);
}

// Plots.

/** Round steps from 0 up to what holds the highest value. */
function steps(top, most) {
  const power = 10 ** Math.floor(Math.log10(top / most));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step * most >= top);
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, index) => index * step);
}

/** The powers of ten around the values, and around one. */
function decades(values) {
  const [low, high] = [Math.min(1, ...values), Math.max(1, ...values)];
  const powers = [-3, -2, -1, 0, 1, 2, 3, 4, 5].map((exponent) => 10 ** exponent);
  return powers.filter((power) => power * 10 >= low && power <= high * 10);
}

/** Names with their colours, and their values at a sample. */
const rows = (series, index, say) => html("ul", { class: "rows" }, ...series.map(({ name, slot, values }) => {
  const none = values.some((value) => value !== null) ? "–" : "not seen yet";
  return html("li", { "data-slot": slot }, html("span", {}, name), values[index] == null ? none : say(values[index]));
}));

class Plot {
  #names = Array(SERIES_MAX + 1).fill(null); // Which series has which colour; the last one is for the others.

  constructor({ title, unit, shape = "", ...spec }) {
    Object.assign(this, { least: 1, ...spec });
    this.svg = svg("svg", { "aria-hidden": "true" });
    this.box = html("div", { class: "box", "aria-live": "polite", hidden: "" });
    const label = `${title}, ${unit}; the arrow keys go through time`;
    this.area = html("div", { class: "area", tabindex: "0", role: "group", "aria-label": label }, this.svg, this.box);
    this.legend = html("div");
    const caption = html("figcaption", {}, `${title} `, html("small", {}, unit));
    document.getElementById("plots").append(html("figure", { class: shape }, caption, this.area, this.legend));
    this.area.onpointermove = (event) => this.#hover(event.clientX - this.area.getBoundingClientRect().left);
    this.area.onpointerleave = this.area.onblur = () => point(null, null);
    this.area.onkeydown = (event) => this.#walk(event);
    new ResizeObserver(() => this.draw()).observe(this.area);
  }

  draw() {
    const [width, height] = [this.area.clientWidth, this.area.clientHeight];
    Object.assign(this, { width, left: 42, right: width - 8, top: 8, bottom: height - 22 });
    // While the exporter is away its clock goes on, so that the silence is seen to grow.
    this.end = (samples.at(-1)?.at ?? answered / 1000) + (away ? (Date.now() - answered) / 1000 : 0);
    this.begin = this.end - shownSecs();
    this.first = samples.filter(({ at }) => at < this.begin).length;
    this.drawn = this.#laid(this.series());
    const values = this.drawn.flatMap(({ upper }) => upper.slice(this.first)).filter((value) => value !== null);
    this.#scale(values);
    const middle = { x: (this.left + this.right) / 2, y: this.bottom / 2 };
    const nothing = svg("text", middle, values.length ? "" : "not seen yet");
    const traces = this.drawn.flatMap((one) => this.#traces(one));
    this.cursor = svg("g");
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(...this.#gaps(), ...this.#axes(), ...traces, nothing, this.cursor);
    this.legend.replaceChildren(rows(this.drawn, samples.length - 1, this.say));
    this.drawPointed();
  }

  /** Gives each series its edges, and a colour that stays its own for as long as it is shown. */
  #laid(series) {
    const names = series.map(({ name }) => name);
    this.#names = this.#names.map((name) => (names.includes(name) ? name : null));
    for (const name of names.filter((name) => !this.#names.includes(name))) {
      this.#names[name === "others" ? SERIES_MAX : this.#names.indexOf(null)] = name;
    }
    const slot = ({ name }) => this.#names.indexOf(name);
    const base = samples.map(() => 0);
    return series.toSorted((one, other) => slot(one) - slot(other)).map((one) => {
      const lower = this.stacked && [...base];
      const raise = (value, index) => (value === null || !lower ? value : (base[index] += value));
      return { ...one, slot: slot(one), lower, upper: one.values.map(raise) };
    });
  }

  #scale(values) {
    const { left, right, top, bottom, begin, end, least, log } = this;
    const most = Math.max(2, Math.floor((bottom - top) / 36));
    this.ticks = log ? decades(values.filter((value) => value > 0)) : steps(Math.max(least, ...values), most);
    const at = (value) => (log ? Math.log10(Math.max(value, this.ticks[0])) : value);
    const [low, high] = [at(this.ticks[0]), at(this.ticks.at(-1))];
    this.x = (time) => left + ((time - begin) / (end - begin)) * (right - left);
    this.y = (value) => bottom - ((at(value) - low) / (high - low)) * (bottom - top);
  }

  #axes() {
    const { left, right, bottom, begin, end, x, y } = this;
    const across = this.ticks.flatMap((value) => [
      svg("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
      svg("text", { class: "amount", x: left - 6, y: y(value) + 4 }, short(value)),
    ]);
    const step = [60, 120, 180].find((secs) => x(secs) - x(0) >= 56) ?? 300;
    const first = Math.ceil(begin / step);
    const times = Array.from({ length: (end - begin) / step + 1 }, (_, index) => step * (first + index));
    const fitting = times.filter((time) => x(time) >= left + 16 && x(time) <= right - 10);
    const write = (time) => svg("text", { x: x(time), y: bottom + 17 }, clock(time, "short"));
    return [...across, ...fitting.map(write)];
  }

  /** Bands for the time in which nothing was sampled: between two samples, and since the last one. */
  #gaps() {
    const bands = samples.map((sample, index) => [samples[index - 1]?.at, sample.at, sample.unbroken === sample]);
    if (away) bands.push([samples.at(-1)?.at, this.end, true]);
    return bands.filter(([since, , broken]) => broken && since).map(([since, until]) => {
      const [x, right] = [since, until].map((time) => Math.max(this.left, this.x(time)));
      return svg("rect", { class: "gap", x, y: this.top, width: right - x, height: this.bottom - this.top });
    });
  }

  #traces({ slot, upper, lower }) {
    const stretches = [];
    samples.forEach((sample, index) => {
      if (index < this.first || upper[index] === null) return;
      const joined = index > this.first && upper[index - 1] !== null && sample.unbroken !== sample;
      joined ? stretches.at(-1).push(index) : stretches.push([index]);
    });
    const on = (edge) => (index) => `${this.x(samples[index].at).toFixed(1)},${this.y(edge[index]).toFixed(1)}`;
    return stretches.map((stretch) => {
      const points = stretch.map(on(upper));
      const around = lower ? `M${[...points, ...stretch.toReversed().map(on(lower))].join("L")}Z` : "";
      const along = `M${points[0]}L${points.join("L")}`; // The first point twice, so that a lonely one is a dot.
      const paths = [svg("path", { class: "fill", d: around }), svg("path", { class: "trace", d: along })];
      return svg("g", { "data-slot": slot }, ...paths);
    });
  }

  /** The line at the sample that is pointed at in any plot, and the box with its values in that one. */
  drawPointed() {
    const index = samples.indexOf(pointed.sample, this.first);
    this.cursor.replaceChildren();
    this.box.hidden = index < 0 || pointed.plot !== this;
    if (index < 0) return;
    const x = this.x(pointed.sample.at);
    const seen = this.drawn.filter(({ upper }) => upper[index] !== null);
    const dots = seen.map(({ slot, upper }) =>
      svg("circle", { class: "dot", "data-slot": slot, cx: x, cy: this.y(upper[index]), r: 3.5 }));
    this.cursor.append(svg("line", { class: "cursor", x1: x, x2: x, y1: this.top, y2: this.bottom }), ...dots);
    if (this.box.hidden) return;
    this.box.replaceChildren(clock(pointed.sample.at), rows(this.drawn, index, this.say));
    const beside = x > this.width / 2 ? x - this.box.offsetWidth - 10 : x + 10;
    this.box.style.left = `${Math.max(0, Math.min(this.width - this.box.offsetWidth, beside))}px`;
  }

  #hover(x) {
    const far = (sample) => Math.abs(this.x(sample.at) - x);
    point(samples.slice(this.first).sort((one, other) => far(one) - far(other))[0], this);
  }

  #walk(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const [from, last] = [samples.indexOf(pointed.sample), samples.length - 1];
    point(samples[from < 0 ? last : Math.max(this.first, Math.min(last, from + by))], this);
  }
}

function point(sample, plot) {
  pointed = { sample, plot };
  plots.forEach((each) => each.drawPointed());
}

const lag = (unit) => () =>
  [{ name: "behind the log", values: samples.map(({ values }) => values[`koe_exporter_lag_${unit}`] ?? null) }];
const events = () => busiest(ratesBy("type", ["koe_exporter_events_published_total"]));
const queries = () => busiest(ratesBy("endpoint", ["koe_exporter_service_requests_total"], 'service="koe-queries"'));
const perSecond = (value) => `${decimal(value)}/s`;
const millis = (value) => `${value < 100 ? value.toPrecision(3) : whole(value)} ms`;

const plots = [
  { title: "Events", unit: "per second, by type", series: events, say: perSecond, stacked: true, shape: "wide tall" },
  { title: "Lag", unit: "events", series: lag("events"), say: whole, stacked: true, least: 10, shape: "low" },
  { title: "Lag", unit: "seconds", series: lag("seconds"), say: span, stacked: true, shape: "low" },
  { title: "Commands", unit: "per second, by outcome", series: outcomes, say: perSecond },
  { title: "Durations", unit: "mean ms of commands and steps, log scale", series: durations, say: millis, log: true },
  { title: "Queries", unit: "per second, by endpoint", series: queries, say: perSecond, stacked: true, shape: "wide" },
].map((spec) => new Plot(spec));

// The loop that asks.
function draw() {
  const status = document.getElementById("status");
  const live = samples.length ? `Live, a sample every ${short(interval)} s` : "No sample yet";
  const words = away ? `The exporter does not answer since ${clock(answered / 1000)}` : live;
  if (status.textContent !== words) status.textContent = words; // It is read aloud, so only when it changes.
  document.body.classList.toggle("away", away);
  drawTiles();
  plots.forEach((plot) => plot.draw());
}

/** What was sampled since, or null if the exporter does not answer, for whatever reason. */
function ask() {
  const asked = fetch(`/history.json?after=${next}`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLIS) });
  return asked.then((response) => (response.ok ? response.json() : null)).catch(() => null);
}

document.forms.range.onchange = draw;
draw();
for (let pause = interval; ; await new Promise((resolve) => setTimeout(resolve, 1000 * pause))) {
  let reply = await ask();
  if (reply?.next < next) {
    [samples, next] = [[], 0]; // The exporter began again, and counts anew.
    reply = await ask();
  }
  if (reply) keep(reply);
  away = !reply;
  pause = away ? Math.min(PAUSE_MAX_SECS, 1.5 * pause) : interval;
  draw();
}
