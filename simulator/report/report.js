// Draws the conversation, plays it, and keeps picture, sound and transcript together.
//
// The page is complete without this script but for the waveform. Whatever text it shows was written by strangers, so it
// sets attributes of numbers and names of its own, and writes foreign words through textContent only.
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 290;
  const Y = { // rows of the picture in pixels, from top to bottom
    ruler: 14, top: 20, callerTurns: 24, callerWave: 46, gap: 122, agentWave: 160, agentTurns: 240, events: 265, bottom: 286,
  };
  const WAVE = 76; // height of one voice
  const BLOCK = 18; // height of a turn's label
  const MAX_PIXELS_PER_SECOND = 400;
  const NARROW = 600; // pixels; a phone starts magnified and scrolls, up to
  const NARROW_ZOOM = 3;
  const READABLE = 30; // pixels per second
  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600]; // seconds between ticks

  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);
  const call = read("timeline-data");
  const audio = byId("audio");
  const scroller = byId("scroller");
  const state = { scale: 0, fit: 0, zoom: 1, loop: null, drag: null, playhead: null, range: null, blocks: [] };

  const clock = (seconds) => {
    const tenths = Math.round(Math.abs(seconds) * 10);
    const rest = String(Math.floor(tenths / 10) % 60).padStart(2, "0");
    return `${seconds < 0 && tenths ? "−" : ""}${Math.floor(tenths / 600)}:${rest}.${tenths % 10}`;
  };
  const ms = (seconds) => `${Math.round(seconds * 1000)}\u202fms`;

  // --- drawing -----------------------------------------------------------------------------------------------------

  const element = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const x = (instant) => (instant - call.start) * state.scale;

  // Remembers where labels of a row lie, so that none is written upon another; the tooltip has what is left out.
  const labels = () => {
    const taken = [];
    return (middle, width) => {
      const [left, right] = [middle - width / 2, middle + width / 2];
      if (taken.some(([from, to]) => left < to && right > from)) return false;
      taken.push([left, right]);
      return true;
    };
  };
  const inside = (middle, width) => Math.min(Math.max(middle, width / 2), x(call.end) - width / 2);
  const fitted = (text, width) => {
    const letters = Math.floor((width - 10) / 6.6);
    return text.length <= letters ? text : letters < 4 ? "" : `${text.slice(0, letters - 1)}…`;
  };

  const drawRuler = (svg) => {
    const step = STEPS.find((seconds) => seconds * state.scale >= 64) ?? STEPS[STEPS.length - 1];
    for (let n = Math.ceil(call.start / step); n * step <= call.end; n += 1) {
      const at = x(n * step);
      svg.append(element("line", { class: "tick", x1: at, x2: at, y1: Y.top, y2: Y.bottom }));
      const label = step < 1 ? clock(n * step) : clock(n * step).slice(0, -2);
      if (at + 34 < x(call.end)) svg.append(element("text", { class: "tick-label", x: at + 3, y: Y.ruler }, label));
    }
  };

  const wavePath = (peaks, top, loudest) => {
    const count = peaks.length / 2;
    const width = (call.audioSeconds * state.scale) / count;
    const begin = x(call.audioStart);
    const middle = top + WAVE / 2;
    const height = (WAVE / 2 - 3) / loudest;
    let upper = "";
    let lower = "";
    for (let n = 0; n < count; n += 1) {
      const at = (begin + (n + 0.5) * width).toFixed(1);
      upper += `${n ? "L" : "M"}${at} ${(middle - peaks[2 * n + 1] * height - 0.4).toFixed(1)}`;
      lower = `L${at} ${(middle - peaks[2 * n] * height + 0.4).toFixed(1)}${lower}`;
    }
    return `${upper}${lower}Z`;
  };

  const drawVoices = (svg) => {
    const width = x(call.end);
    for (const top of [Y.callerWave, Y.agentWave]) {
      svg.append(element("rect", { class: "lane", x: 0, y: top, width, height: WAVE, rx: 4 }));
      svg.append(element("line", { class: "axis", x1: 0, x2: width, y1: top + WAVE / 2, y2: top + WAVE / 2 }));
    }
    if (!call.lanes) return;
    // Both lanes share one gain, so that loud and quiet can be compared.
    let loudest = 50;
    for (const lane of Object.values(call.lanes)) for (const level of lane) loudest = Math.max(loudest, Math.abs(level));
    for (const [party, top] of [["caller", Y.callerWave], ["agent", Y.agentWave]]) {
      const lane = element("g", { class: party });
      lane.append(element("path", { class: "wave", d: wavePath(call.lanes[party], top, loudest) }));
      svg.append(lane);
    }
  };

  const drawTurns = (svg) => {
    for (const turn of call.turns) {
      const y = turn.party === "caller" ? Y.callerTurns : Y.agentTurns;
      const width = Math.max(2, x(turn.end) - x(turn.start));
      const group = element("g", { class: turn.party });
      const block = element("rect", { class: "turn", x: x(turn.start), y, width, height: BLOCK, rx: 4 });
      tip(block, `${turn.party}, ${clock(turn.start)} to ${clock(turn.end)}\n${turn.text}`);
      group.append(block, element("text", { class: "turn-text", x: x(turn.start) + 5, y: y + 13 }, fitted(turn.text, width)));
      svg.append(group);
      state.blocks.push({ block, turn });
    }
  };

  const drawOverlaps = (svg) => {
    for (const both of call.overlaps) {
      const width = x(both.end) - x(both.start);
      const band = element("rect", { class: "overlap", x: x(both.start), y: Y.callerWave, width, height: Y.agentWave + WAVE - Y.callerWave });
      tip(band, `both speak for ${ms(both.end - both.start)}`);
      svg.append(band);
    }
  };

  const drawLatencies = (svg, free) => {
    for (const { start, end } of call.latencies) {
      const [from, to] = [x(start), x(end)];
      const y = Y.gap + 26;
      const bracket = element("path", { class: "bracket", d: `M${from} ${y - 5}V${y + 5}M${from} ${y}H${to}M${to} ${y - 5}V${y + 5}` });
      tip(bracket, `the agent answers after ${ms(end - start)}`);
      svg.append(bracket);
      const middle = inside((from + to) / 2, 56);
      if (free(middle, 56)) svg.append(element("text", { class: "bracket-text", x: middle, y: y - 9 }, ms(end - start)));
    }
  };

  const drawBargeIns = (svg, free) => {
    for (const { party, start, stopTime } of call.bargeIns) {
      const at = x(start);
      const line = element("line", { class: "barge-in", x1: at, x2: at, y1: Y.top, y2: Y.bottom });
      tip(line, `${party} barges in${stopTime === null ? "; the other never stops" : `; the other stops after ${ms(stopTime)}`}`);
      svg.append(line);
      const end = stopTime === null ? at : x(start + stopTime);
      svg.append(element("path", { class: "stop", d: `M${at} ${Y.gap + 26}H${end}` }));
      const words = stopTime === null ? "never stops" : `stop ${ms(stopTime)}`;
      const middle = inside(at + 50, 88); // beside the line, which would cross its own label
      if (free(middle, 88)) svg.append(element("text", { class: "stop-text", x: middle, y: Y.gap + 17 }, words));
    }
  };

  const drawEvents = (svg) => {
    for (const tool of call.tools) {
      const width = Math.max(8, (tool.duration ?? 0) * state.scale);
      const block = element("rect", { class: "tool", x: x(tool.start), y: Y.events, width, height: BLOCK, rx: 4 });
      tip(block, `${tool.name}${tool.duration === null ? "" : `, ${ms(tool.duration)}`}\n${tool.detail}`);
      svg.append(block);
      const label = fitted(tool.name, Math.max(width, 150));
      const inside = width > label.length * 6.6 + 10;
      svg.append(element("text", { class: "tool-text", x: x(tool.start) + (inside ? 5 : width + 4), y: Y.events + 13 }, label));
    }
    for (const digit of call.digits) {
      const key = element("rect", { class: "digit", x: x(digit.start) - 2, y: Y.events, width: 18, height: BLOCK, rx: 4 });
      tip(key, `${digit.party} presses ${digit.key} at ${clock(digit.start)} for ${ms(digit.duration)}`);
      svg.append(key, element("text", { class: "digit-text", x: x(digit.start) + 7, y: Y.events + 13 }, digit.key));
    }
  };

  const draw = () => {
    const room = Math.max(280, scroller.clientWidth);
    state.fit = room / (call.end - call.start);
    state.scale = Math.min(Math.max(state.fit * state.zoom, state.fit), Math.max(MAX_PIXELS_PER_SECOND, state.fit));
    const width = x(call.end);
    const svg = element("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` });
    const free = labels();
    state.blocks = [];
    drawRuler(svg);
    drawVoices(svg);
    drawOverlaps(svg);
    drawTurns(svg);
    drawBargeIns(svg, free);
    drawLatencies(svg, free);
    drawEvents(svg);
    state.range = element("rect", { class: "range", y: Y.top, height: Y.bottom - Y.top, visibility: "hidden" });
    state.playhead = element("line", { class: "playhead", y1: Y.top, y2: Y.bottom });
    svg.append(state.range, state.playhead);
    scroller.replaceChildren(svg);
    showLoop();
    showPosition();
  };

  const startMagnified = () => {
    const room = scroller.clientWidth;
    if (room < NARROW) state.zoom = Math.min(NARROW_ZOOM, Math.max(1, (READABLE * (call.end - call.start)) / room));
  };

  const zoom = (factor) => {
    const middle = (scroller.scrollLeft + scroller.clientWidth / 2) / state.scale;
    const largest = Math.max(1, MAX_PIXELS_PER_SECOND / state.fit);
    state.zoom = Math.min(largest, Math.max(1, state.zoom * factor));
    draw();
    scroller.scrollLeft = middle * state.scale - scroller.clientWidth / 2;
  };

  // --- tooltips ----------------------------------------------------------------------------------------------------

  const tooltip = byId("tooltip");
  const tip = (target, text) => {
    target.addEventListener("pointerenter", (event) => {
      tooltip.textContent = text;
      tooltip.hidden = false;
      const frame = tooltip.parentElement.getBoundingClientRect();
      const left = Math.min(event.clientX - frame.left + 12, frame.width - tooltip.offsetWidth - 8);
      tooltip.style.left = `${Math.max(8, left)}px`;
      tooltip.style.top = `${event.clientY - frame.top + 16}px`;
    });
    target.addEventListener("pointerleave", () => { tooltip.hidden = true; });
  };

  // --- playing -----------------------------------------------------------------------------------------------------

  const position = () => call.audioStart + (audio ? audio.currentTime : 0);
  const seek = (instant) => {
    if (!audio) return;
    audio.currentTime = Math.min(Math.max(0, instant - call.audioStart), call.audioSeconds);
    showPosition();
  };

  const showPosition = () => {
    const now = position();
    state.playhead.setAttribute("x1", x(now));
    state.playhead.setAttribute("x2", x(now));
    state.playhead.setAttribute("visibility", audio ? "visible" : "hidden");
    if (!audio) return;
    byId("clock").textContent = `${clock(now)} / ${clock(call.end)}`;
    const heard = (turn) => now >= turn.start && now < turn.end;
    for (const { block, turn } of state.blocks) block.classList.toggle("now", heard(turn));
    for (const { item, turn } of cues) item.classList.toggle("now", heard(turn));
  };

  const follow = () => {
    if (state.loop && (position() >= state.loop.end || position() < state.loop.start)) seek(state.loop.start);
    showPosition();
    const at = x(position());
    const hidden = at < scroller.scrollLeft || at > scroller.scrollLeft + scroller.clientWidth - 24;
    if (hidden && !state.drag) scroller.scrollLeft = at - 48;
    if (!audio.paused) requestAnimationFrame(follow);
  };

  const toggle = () => (audio.paused ? audio.play() : audio.pause());

  const showLoop = () => {
    const shown = state.drag ?? state.loop;
    state.range.setAttribute("visibility", shown ? "visible" : "hidden");
    if (shown) {
      state.range.setAttribute("x", x(shown.start));
      state.range.setAttribute("width", Math.max(1, x(shown.end) - x(shown.start)));
    }
    const button = byId("loop");
    if (!button) return;
    button.hidden = !state.loop;
    if (state.loop) button.textContent = `loop ${clock(state.loop.start)} to ${clock(state.loop.end)}  ✕`;
  };

  const setLoop = (loop) => {
    state.loop = loop;
    showLoop();
  };

  // A press that stays within a few pixels is a click and seeks; a longer one selects a range and loops it.
  const instantAt = (event) => {
    const left = event.clientX - scroller.getBoundingClientRect().left + scroller.scrollLeft;
    return Math.min(Math.max(call.start + left / state.scale, call.start), call.end);
  };
  const listenToPointer = () => {
    let anchor = null;
    scroller.addEventListener("pointerdown", (event) => {
      if (event.button === 0) anchor = { instant: instantAt(event), at: event.clientX };
    });
    window.addEventListener("pointermove", (event) => {
      if (!anchor || Math.abs(event.clientX - anchor.at) < 5) return;
      const [start, end] = [anchor.instant, instantAt(event)].sort((a, b) => a - b);
      state.drag = { start, end };
      showLoop();
    });
    window.addEventListener("pointercancel", () => { anchor = state.drag = null; showLoop(); });
    window.addEventListener("pointerup", () => {
      if (!anchor) return;
      const { drag } = state;
      state.drag = null;
      const { loop } = state;
      if (drag) setLoop(drag);
      else if (loop && (anchor.instant < loop.start || anchor.instant > loop.end)) setLoop(null);
      seek(drag ? drag.start : anchor.instant);
      anchor = null;
    });
  };

  const listenToKeys = () => document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, a, summary, input")) return;
    const action = {
      " ": toggle,
      ArrowLeft: () => seek(position() - 1),
      ArrowRight: () => seek(position() + 1),
      Home: () => seek(call.audioStart),
      Escape: () => setLoop(null),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  // --- transcript and files ----------------------------------------------------------------------------------------

  const cues = [...document.querySelectorAll("#transcript li")].map((item) => (
    { item, turn: { start: Number(item.dataset.start), end: Number(item.dataset.end) } }
  ));
  const listenToCues = () => {
    for (const item of document.querySelectorAll("#transcript li, .tool[data-start]")) {
      const target = item.tagName === "LI" ? item : item.querySelector(".seek");
      target.addEventListener("click", () => seek(Number(item.dataset.start)));
    }
  };

  const offerDownload = () => {
    const link = byId("download");
    if (!link) return;
    link.href = URL.createObjectURL(new Blob([read("result-json")], { type: "application/json" }));
    link.hidden = false;
  };

  const start = () => {
    startMagnified();
    draw();
    byId("zoom-in").addEventListener("click", () => zoom(2));
    byId("zoom-out").addEventListener("click", () => zoom(0.5));
    new ResizeObserver(draw).observe(scroller);
    if (!audio) return;
    const player = scroller.closest(".timeline");
    byId("play").addEventListener("click", toggle);
    byId("loop").addEventListener("click", () => setLoop(null));
    for (const event of ["play", "pause", "ended"]) {
      audio.addEventListener(event, () => {
        player.classList.toggle("playing", !audio.paused);
        byId("play").setAttribute("aria-label", audio.paused ? "Play" : "Pause");
        if (event === "play") follow();
      });
    }
    audio.addEventListener("seeked", showPosition);
    audio.addEventListener("ended", () => {
      if (!state.loop) return;
      seek(state.loop.start);
      audio.play();
    });
    listenToPointer();
    listenToKeys();
    listenToCues();
  };

  if (call) start();
  offerDownload();
  document.documentElement.dataset.ready = "true";
})();
