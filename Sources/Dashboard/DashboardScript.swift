/// The dashboard's script: takes statuses as server-sent events and draws them.
enum DashboardScript {
  static let source = core + numbers + charts + workers + start

  /// Elements, and what has been received.
  private static let core = #"""
    "use strict";
    const $ = id => document.getElementById(id);
    const page = { status: null, receivedAt: 0, isOpen: false, isGone: false, lostContactAt: 0 };
    const put = (id, text) => { const e = $(id); if (e.textContent !== text) e.textContent = text; };
    const node = (name, attributes, ...children) => {
      const e = document.createElement(name);
      for (const key in attributes || {}) e.setAttribute(key, attributes[key]);
      e.append(...children);
      return e;
    };
    const drawn = (name, attributes, text) => {
      const e = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const key in attributes || {}) e.setAttribute(key, attributes[key]);
      if (text !== undefined) e.textContent = text;
      return e;
    };
    const isFinal = s => s.exit_code !== undefined && s.exit_code !== null;
    """#

  /// Numbers as the report has them.
  private static let numbers = #"""

    const has = v => v !== undefined && v !== null && Number.isFinite(v);
    const superscript = n => String(n).replace(/[-0-9]/g, c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c]);
    const signed = t => t.startsWith("-") ? (/[1-9]/.test(t) ? "−" + t.slice(1) : t.slice(1)) : t;
    const fixed = (v, decimals) => has(v) ? signed(v.toFixed(decimals)) : "—";
    function short(v, digits = 3) {
      if (!has(v)) return "—";
      if (v === 0) return "0";
      const [front, back] = v.toExponential(digits - 1).split("e"), exponent = +back;
      if (exponent >= -4 && exponent <= 6) return signed(v.toFixed(Math.max(0, digits - 1 - exponent)));
      return signed(front) + "·10" + superscript(exponent);
    }
    function count(v) {
      if (!has(v)) return "—";
      const text = String(Math.abs(Math.round(v)));
      return (v < 0 ? "−" : "") + (text.length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, "\u202f") : text);
    }
    const counted = (v, one, many) => count(v) + " " + (v === 1 ? one : many);
    const percent = v => has(v) ? (v >= 0.0995 || v === 0 ? fixed(100 * v, 0) : fixed(100 * v, 1)) + "\u202f%" : "—";
    function duration(s) {
      if (!has(s)) return "—";
      if (s < 10) return fixed(s, 1) + " s";
      if (s < 120) return fixed(s, 0) + " s";
      if (s < 7200) return fixed(s / 60, 0) + " min";
      if (s < 172800) return fixed(s / 3600, 1) + " h";
      return fixed(s / 86400, 1) + " d";
    }
    function clock(s) {
      const t = Math.round(s), two = v => String(v).padStart(2, "0");
      return t < 3600 ? Math.floor(t / 60) + ":" + two(t % 60)
        : Math.floor(t / 3600) + ":" + two(Math.floor(t / 60) % 60) + ":" + two(t % 60);
    }
    function bytes(v) {
      if (!has(v)) return "—";
      const units = ["B", "kB", "MB", "GB", "TB"];
      let place = 0;
      while (v >= 1000 && place < units.length - 1) { v /= 1000; place += 1; }
      return (place === 0 ? fixed(v, 0) : short(v, 3)) + " " + units[place];
    }
    const span = s => s < 120 ? duration(s) : clock(s);
    const time = iso => { const d = new Date(iso); return isNaN(d) ? "—" : d.toLocaleTimeString([], { hour12: false }); };
    // As many decimals as two digits of the standard error.
    function withError(v, se) {
      if (!has(v)) return "—";
      const decimals = has(se) && se > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(se)))) : 2;
      const grouped = fixed(v, decimals).replace(/^(−?)(\d+)/, (_, sign, whole) => sign + count(+whole));
      return grouped + (has(se) ? " ± " + fixed(se, decimals) : "");
    }
    const familyNames = { linear: 1, logistic: 1, softmax: 1, poisson: 1 };
    function familyName(f) {
      const special = { negative_binomial: "Negative binomial regression", student_t: "Student-t regression",
        bnn_regression: "Neural network regression", bnn_classification: "Neural network classification",
        sinh_arcsinh: "Sinh-arcsinh target", stan: "Stan model" };
      const name = f.charAt(0).toUpperCase() + f.slice(1).replace(/_/g, " ");
      return special[f] || (familyNames[f] ? name + " regression" : name);
    }
    """#

  /// Line charts that fit their place.
  private static let charts = #"""

    function niceStep(span, most) {
      const raw = span / Math.max(1, most), power = Math.pow(10, Math.floor(Math.log10(raw)));
      for (const f of [1, 2, 2.5, 5, 10]) if (f * power >= raw) return f * power;
      return 10 * power;
    }
    function timeStep(span, most) {
      const raw = span / Math.max(1, most);
      for (const s of [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400])
        if (s >= raw) return s;
      return 86400 * Math.ceil(raw / 86400);
    }
    function timeLabel(s, step, end) {
      if (s === 0) return "0";
      if (step < 1) return fixed(s, 1) + " s";
      if (step < 60 && end < 120) return s + " s";
      return clock(s);
    }
    // The range of what matters: the first steep part may leave the picture below.
    function range(points, low, high) {
      const later = points.slice(points.length > 20 ? Math.floor(points.length * 0.15) : points.length > 4 ? 1 : 0);
      let a = Infinity, b = -Infinity;
      for (const p of later) { a = Math.min(a, low(p)); b = Math.max(b, high(p)); }
      for (const p of points) b = Math.max(b, high(p));
      if (!(b > a)) { const pad = Math.abs(a) * 0.05 || 1; return [a - pad, b + pad]; }
      return [a - 0.06 * (b - a), b + 0.06 * (b - a)];
    }
    function chart(place, points, spec) {
      const box = $(place), width = Math.max(240, Math.round(box.clientWidth || 480)), height = width < 420 ? 190 : 230;
      const shown = points.filter(p => has(spec.y(p)) && has(p.seconds));
      if (shown.length === 0) {
        box.replaceChildren(node("p", { class: "absent" }, spec.empty));
        put(place + "-reading", "");
        return;
      }
      const error = p => spec.error && has(spec.error(p)) ? spec.error(p) : 0;
      let [low, high] = range(shown, p => spec.y(p) - error(p), p => spec.y(p) + error(p));
      if (spec.fromZero) low = 0;
      const step = niceStep(high - low, 4), decimals = [0, 1, 2, 3, 4, 5].find(d => Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6) ?? 6;
      const label = v => Math.abs(v) >= 1e6 ? short(v, 3) : fixed(v, decimals).replace(/^(−?)(\d+)/, (_, s, w) => s + count(+w));
      const ticks = [];
      for (let v = Math.ceil(low / step) * step; v <= high + 1e-9 * step; v += step) ticks.push(Math.abs(v) < 1e-9 * step ? 0 : v);
      const longest = Math.max(...ticks.map(v => label(v).length), 1);
      const left = 14 + 6.8 * longest, right = 14, top = 10, bottom = 26;
      const end = Math.max(shown[shown.length - 1].seconds, 1e-3), begin = Math.min(shown[0].seconds, end * 0.999);
      const x = s => left + (s - begin) / (end - begin || 1) * (width - left - right);
      const y = v => top + (high - v) / (high - low) * (height - top - bottom);
      const clamp = v => Math.min(Math.max(v, -1e4), 1e4).toFixed(1);
      const svg = drawn("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": spec.title });
      const clip = "clip-" + place, hole = drawn("clipPath", { id: clip });
      hole.append(drawn("rect", { x: left, y: top - 4, width: width - left - right + 6, height: height - top - bottom + 4 }));
      svg.append(hole);
      for (const v of ticks) {
        svg.append(drawn("line", { class: "grid", x1: left, x2: width - right, y1: clamp(y(v)), y2: clamp(y(v)) }));
        svg.append(drawn("text", { class: "tick end", x: left - 7, y: clamp(y(v) + 4) }, label(v)));
      }
      const across = timeStep(end - begin, (width - left - right) / 75);
      for (let s = Math.ceil(begin / across) * across; s <= end; s += across) {
        const at = Math.min(x(s), width - right - 8);
        svg.append(drawn("line", { class: "base", x1: clamp(x(s)), x2: clamp(x(s)), y1: height - bottom, y2: height - bottom + 4 }));
        svg.append(drawn("text", { class: "tick middle", x: clamp(at), y: height - bottom + 18 }, timeLabel(+s.toFixed(3), across, end)));
      }
      svg.append(drawn("line", { class: "base", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
      const inside = drawn("g", { "clip-path": `url(#${clip})` });
      const line = shown.map(p => clamp(x(p.seconds)) + " " + clamp(y(spec.y(p))));
      if (spec.error && shown.length > 1) {
        const upper = shown.map(p => clamp(x(p.seconds)) + " " + clamp(y(spec.y(p) + error(p))));
        const lower = shown.map(p => clamp(x(p.seconds)) + " " + clamp(y(spec.y(p) - error(p)))).reverse();
        inside.append(drawn("path", { class: "band", d: "M" + upper.concat(lower).join("L") + "Z" }));
      }
      if (spec.fromZero && shown.length > 1) {
        inside.append(drawn("path", { class: "area",
          d: `M${line.join("L")}L${clamp(x(end))} ${height - bottom}L${clamp(x(shown[0].seconds))} ${height - bottom}Z` }));
      }
      if (shown.length > 1) inside.append(drawn("path", { class: "line", d: "M" + line.join("L") }));
      // Where somebody came or went.
      for (let i = 1, taken = 0; spec.crew && i < shown.length; i++) {
        const change = spec.crew(shown[i]) - spec.crew(shown[i - 1]), at = x(shown[i].seconds);
        if (!change) continue;
        inside.append(drawn("line", { class: "reference", x1: clamp(at), x2: clamp(at), y1: top, y2: height - bottom }));
        const words = (change > 0 ? "+" : "−") + counted(Math.abs(change), "worker", "workers");
        const isLate = at > width - 110, space = 7 * words.length, from = isLate ? at - 5 - space : at + 5;
        // Words that would run into those before are left away.
        if (from < taken || shown.length < 3) continue;
        taken = from + space + 8;
        inside.append(drawn("text", { class: "tick change" + (isLate ? " end" : ""), x: clamp(at + (isLate ? -5 : 5)),
          y: height - bottom - 8 }, words));
      }
      const last = shown[shown.length - 1];
      inside.append(drawn("circle", { class: "now", cx: clamp(x(last.seconds)), cy: clamp(y(spec.y(last))), r: 3.2 }));
      svg.append(inside);
      const cursor = drawn("line", { class: "cursor", y1: top, y2: height - bottom, x1: 0, x2: 0, visibility: "hidden" });
      svg.append(cursor);
      const read = p => put(place + "-reading", spec.reading(p));
      svg.addEventListener("pointermove", event => {
        const at = (event.offsetX * width / (svg.clientWidth || width) - left) / (width - left - right) * (end - begin) + begin;
        let best = shown[0];
        for (const p of shown) if (Math.abs(p.seconds - at) < Math.abs(best.seconds - at)) best = p;
        cursor.setAttribute("visibility", "visible");
        cursor.setAttribute("x1", clamp(x(best.seconds)));
        cursor.setAttribute("x2", clamp(x(best.seconds)));
        page.pointed = place;
        read(best);
      });
      svg.addEventListener("pointerleave", () => { cursor.setAttribute("visibility", "hidden"); page.pointed = null; read(last); });
      // A chart that somebody reads stays as it is until the pointer has left.
      if (page.pointed === place && box.firstChild) return;
      box.replaceChildren(svg);
      read(last);
    }
    function drawCharts(s) {
      chart("elbo", s.trace, { title: "ELBO over time", y: p => p.elbo, error: p => p.se,
        empty: "No estimate of the ELBO yet: the first comes when the mixture has a start.",
        reading: p => `At iteration ${count(p.iteration)}, ${span(p.seconds)}: ${withError(p.elbo, p.se)} nats` });
      chart("rate", s.course, { title: "Iterations a second over time", y: p => p.iterations_per_second, fromZero: true, crew: p => p.workers,
        empty: "No rate yet: iterations have not begun.",
        reading: p => `At ${span(p.seconds)}: ${short(p.iterations_per_second)} iterations/s, ${bytes(p.bytes_per_second)}/s, `
          + counted(p.workers, "worker", "workers") });
    }
    """#

  /// The head's numbers and the tables.
  private static let workers = #"""

    function number(name, value, note) {
      const item = node("div", {}, node("dt", {}, name), node("dd", { class: "value" + (value.length > 16 ? " long" : "") }, value));
      if (note) item.append(node("dd", { class: "note" }, note));
      return item;
    }
    function drawNumbers(s) {
      const ready = s.workers.filter(w => w.state !== "preparing").length + s.workers_left_out;
      const preparing = s.workers.length + s.workers_left_out - ready;
      const threads = s.workers.reduce((sum, w) => sum + w.threads, 0);
      const perIteration = s.iteration > 0 && s.bytes_sent + s.bytes_received > 0
        ? bytes((s.bytes_sent + s.bytes_received) / s.iteration) + " an iteration" : "";
      const end = isFinal(s);
      $("numbers").replaceChildren(
        number("ELBO", withError(s.elbo, s.elbo_se), "nats ± standard error"),
        number("Rate", has(s.iterations_per_second) ? short(s.iterations_per_second) + " it/s" : "—",
          end ? "over the whole fit" : "iterations a second"),
        number("Time", span(s.seconds), "of fitting"),
        end ? number("Iterations", count(s.iteration), "of at most " + count(s.iterations))
          : number("Time left", duration(s.seconds_left), s.may_stop_early ? "at most; it stops once converged" : "at the present rate"),
        end ? number("Workers", count(s.workers_seen), s.lost_workers ? counted(s.lost_workers, "was lost", "were lost") : "none was lost")
          : number("Workers", count(ready), [counted(threads, "thread", "threads"),
            preparing ? preparing + " preparing" : "", s.lost_workers ? counted(s.lost_workers, "lost", "lost") : ""].filter(t => t).join(", ")),
        end ? number("Tiles handed out again", count(s.redispatched_tiles), "after losses, or as copies")
          : number("Tiles in flight", count(s.tiles_in_flight), s.tiles_of_job ? "of " + count(s.tiles_of_job) + " a pass" : ""),
        number(end ? "Traffic" : "Traffic now", end ? bytes(s.bytes_sent + s.bytes_received) : bytes(s.bytes_per_second) + "/s", perIteration),
        number("Sent, received", bytes(s.bytes_sent) + ", " + bytes(s.bytes_received), "by the coordinator"));
    }
    function drawProgress(s) {
      $("progress").hidden = s.iterations <= 0;
      const share = Math.min(1, s.iteration / Math.max(1, s.iterations));
      $("done").setAttribute("width", (100 * (s.state === "finished" ? 1 : share)).toFixed(2));
      put("iterations", `${count(s.iteration)} of ${s.may_stop_early ? "at most " : ""}${count(s.iterations)} iterations`
        + (isFinal(s) ? "" : `, ${percent(share)}`));
      put("left", isFinal(s) || !has(s.seconds_left) ? "" : `${duration(s.seconds_left)} left${s.may_stop_early ? " at most" : ""}`);
    }
    const states = {
      preparing: ["open", "…", "Preparing"], warming_up: ["calm", "▸", "Warming up"], running: ["calm", "▸", "Running"],
      judging: ["calm", "▸", "Judging the fit"], finished: ["good", "✓", "Finished"], failed: ["poor", "!", "Failed"],
      interrupted: ["open", "‖", "Interrupted"] };
    function drawBanner(s) {
      const silence = (Date.now() - page.receivedAt) / 1000, at = time(s.updated_at);
      let [kind, mark, word] = states[s.state] || ["open", "?", s.state], sentence = s.message || s.phase;
      if (!isFinal(s)) {
        sentence = s.phase ? s.phase.charAt(0).toUpperCase() + s.phase.slice(1) + "." : "";
        if (page.isGone || (!page.isOpen && Date.now() - page.lostContactAt > 4000)) {
          [kind, mark, word] = ["poor", "!", "The coordinator is gone"];
          sentence = `Nothing has come from it since ${at}. Below is its last state` + (s.iteration > 0
            ? "; isomix fit … --resume goes on from its last checkpoint." : ".");
        } else if (!page.isOpen) {
          [kind, mark, word] = ["open", "…", "Connection lost"];
          sentence = `Trying again. Below is the state of ${at}.`;
        } else if (silence > 10) {
          [kind, mark, word] = ["open", "?", "No news"];
          sentence = `The coordinator has said nothing for ${duration(silence)}: it hangs, is stopped, or has much to do (${s.phase}).`;
        }
      } else if (sentence) sentence = sentence.charAt(0).toUpperCase() + sentence.slice(1).replace(/\.?$/, ".");
      $("banner").className = "verdict " + kind;
      document.body.className = kind === "poor" && !isFinal(s) || word === "No news" ? "stale" : "";
      put("mark", mark); put("word", word); put("sentence", sentence);
      put("updated", "As of " + at);
      const share = s.iterations > 0 && !isFinal(s) ? Math.floor(100 * s.iteration / s.iterations) + " % · " : "";
      document.title = (isFinal(s) || kind === "poor" ? word + " · " : share) + $("title").textContent + " – isomix";
    }
    function cell(label, text, kind) { return node("td", { "data-label": label, class: kind || "" }, text); }
    const ago = s => !has(s) ? "—" : s < 2 ? "now" : duration(s) + " ago";
    function named(w) { return node("th", { scope: "row" }, w.host, node("span", { class: "pid" }, "/" + w.pid)); }
    function drawWorkers(s) {
      const extra = isFinal(s) ? 0 : (Date.now() - page.receivedAt) / 1000;
      const hosts = new Set(s.workers.map(w => w.host));
      put("fleet", isFinal(s)
        ? `${counted(s.workers_seen, "worker", "workers")} took part` + (s.lost_workers ? `; ${count(s.lost_workers)} of them lost.` : ".")
        : s.workers.length === 0 ? "No worker has registered yet."
          : `${counted(s.workers.length + s.workers_left_out, "worker", "workers")} on ${counted(hosts.size, "host", "hosts")}`
            + (s.workers_left_out ? `; the first ${s.workers.length} are listed.` : "."));
      const rows = s.workers.map(w => {
        const kind = isFinal(s) ? "left" : w.is_slow ? "slow" : w.state;
        const text = isFinal(s) ? "took part" : w.is_slow ? "slow" : w.state;
        const bar = drawn("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
        bar.append(drawn("rect", { class: "track", width: 100, height: 10 }),
          drawn("rect", { class: "done", width: (100 * Math.min(1, w.busy || 0)).toFixed(1), height: 10 }));
        const busy = node("td", { class: "bar", "data-label": "Busy" }, node("span", {}, bar, percent(w.busy)));
        return node("tr", {}, named(w), node("td", { class: "state" }, node("span", { class: "tag " + kind }, text)),
          cell("Threads", count(w.threads)), cell("Tiles", count(w.tiles_done)), cell("Tiles/s", w.tiles_per_second >= 1000 ? count(w.tiles_per_second) : short(w.tiles_per_second)), busy,
          cell("Speed", has(w.relative_speed) ? percent(w.relative_speed) : "—"),
          cell("Last seen", isFinal(s) ? "—" : ago(w.last_seen_seconds + extra)));
      });
      $("rows").replaceChildren(...rows);
      $("lost").hidden = s.lost.length === 0;
      $("lost-rows").replaceChildren(...s.lost.slice().reverse().map(w => node("tr", { class: "gone" }, named(w),
        node("td", { class: "state" }, node("span", { class: "tag lost" }, "lost")),
        cell("At", time(w.lost_at)), cell("Why", w.reason, "reason"))));
    }
    function drawWarnings(s) {
      $("warnings").hidden = s.warnings.length === 0;
      $("warnings").querySelector("ul").replaceChildren(...s.warnings.map(t => node("li", {}, t)));
    }
    """#

  /// Receiving.
  private static let start = #"""

    function draw() {
      const s = page.status;
      if (!s) return;
      put("title", familyName(s.model.family));
      put("subtitle", [has(s.model.dimension) ? counted(s.model.dimension, "parameter", "parameters") : "",
        counted(s.model.components, "mixture component", "mixture components"),
        `coordinator ${s.coordinator.host}/${s.coordinator.pid}`].filter(t => t).join(" · "));
      put("run", s.folder + (s.run ? " · " + s.run.slice(0, 8) : ""));
      put("version", "isomix " + s.version);
      drawProgress(s); drawNumbers(s); drawWarnings(s); drawCharts(s); drawWorkers(s); drawBanner(s);
    }
    let source = null, next = 0;
    function connect() {
      clearTimeout(next);
      source = new EventSource("events" + location.search);
      source.onopen = () => { page.isOpen = true; page.isGone = false; };
      source.addEventListener("status", event => {
        page.status = JSON.parse(event.data);
        page.receivedAt = Date.now();
        page.isGone = false;
        if (isFinal(page.status)) source.close();
        draw();
      });
      source.addEventListener("gone", () => { page.isGone = true; draw(); });
      source.onerror = () => {
        if (page.isOpen) page.lostContactAt = Date.now();
        page.isOpen = false;
        source.close();
        if (page.status && isFinal(page.status)) return;
        next = setTimeout(connect, 2000);
        draw();
      };
    }
    for (const id of ["json", "metrics"]) $(id).setAttribute("href", $(id).getAttribute("href") + location.search);
    page.lostContactAt = Date.now();
    connect();
    let resizing = 0;
    window.addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(draw, 100); });
    setInterval(() => { if (page.status && !isFinal(page.status)) { drawWorkers(page.status); drawBanner(page.status); } }, 1000);

    """#
}
