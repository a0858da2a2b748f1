"use strict";
// The gallery: filter, order and show queries a page at a time. All text is set as text, never as markup; only the
// queries of one page are in the document, so that the number of queries costs nothing.
(() => {
  const PER_PAGE = 10;
  const AT_ONCE = 10; // candidates of a submission that stands beside another; the others unfold
  const RIGHT = 1, TIED = 2;

  const at = (id) => document.getElementById(id);
  const data = (id) => JSON.parse(at(`${id}-data`).textContent);
  if (!at("gallery-data")) return;

  const gallery = data("gallery");
  const { queries, images, sides, judged } = gallery;
  const first = sides[0];
  let pictures = null;

  // ---- building blocks

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.includes("-") || name === "role") element.setAttribute(name, value);
      else element[name] = value;
    }
    element.append(...children);
    return element;
  }

  /** Text of unknown direction, kept apart from what stands around it. */
  const isolated = (text, title = "") => make("bdi", { title }, text);

  const nameOf = (column, image) => images[column].names[images[column].codes[image]];

  /** The photograph as an element, or a placeholder of the same kind. */
  function picture(image) {
    pictures ??= data("thumbnails");
    if (!pictures.webp[image]) {
      return make("span", { className: "absent", role: "img", "aria-label": `photograph ${images.id[image]} is missing or broken` }, "no photograph");
    }
    return make("img", {
      src: `data:image/webp;base64,${pictures.webp[image]}`,
      width: pictures.width[image],
      height: pictures.height[image],
      alt: `photograph ${images.id[image]}`,
      decoding: "async",
    });
  }

  /** Wide photographs take several places of a row, so that an animal is as large in them as in tall ones. */
  function shapeOf(image) {
    pictures ??= data("thumbnails");
    const ratio = pictures.width[image] / pictures.height[image];
    return ratio > 2.4 ? "wide" : ratio > 1.25 ? "broad" : "tall";
  }

  // ---- what is known of a query

  /** The places of tied candidates are one place: the last of them, as the metric has it. */
  function placeOf(marks, row) {
    let end = row;
    while (Number(marks[end]) & TIED) end += 1;
    const tied = end > row || (row > 0 && Number(marks[row - 1]) & TIED);
    return `${tied ? "=" : ""}${end + 1}`;
  }

  const OUTCOMES = judged
    ? {
        first: "right in the first row",
        later: "right further down",
        none: "nothing right found",
        unanswered: "no answer",
        unscored: "not scored: nothing is right",
      }
    : { answered: "answered", unanswered: "no answer" };

  function outcomeOf(query, side = first) {
    if (judged && side.precision[query] === null) return "unscored";
    if (!side.images[query].length) return "unanswered";
    if (!judged) return "answered";
    return side.first[query] === 1 ? "first" : side.first[query] ? "later" : "none";
  }

  /** The same of two submissions: whose first row is right. */
  const PAIRED = {
    "only-a": "only A is right in the first row",
    "only-b": "only B is right in the first row",
    both: "both are right in the first row",
    neither: "neither is right in the first row",
    unscored: OUTCOMES.unscored,
  };

  function pairedOutcomeOf(query) {
    const [inA, inB] = sides.map((side) => outcomeOf(query, side));
    if (inA === "unscored") return inA;
    if (inA === "first") return inB === "first" ? "both" : "only-a";
    return inB === "first" ? "only-b" : "neither";
  }

  const isPair = sides.length > 1;
  const [KINDS, kindOf] = isPair ? [PAIRED, pairedOutcomeOf] : [OUTCOMES, outcomeOf];

  const precisionOf = (query, side) => side.precision[query] ?? 2;
  const differenceOf = (query) => first.precision[query] - sides[1].precision[query];
  const changeOf = (query) => (first.precision[query] === null ? -1 : Math.abs(differenceOf(query)));
  const topOf = (query) => first.scores[query][0] ?? -1;
  const marginOf = (query) => topOf(query) - (first.scores[query][1] ?? 0);

  /** The ways to order queries: what people read, and the key that rises. */
  const ORDERS = {
    ...(isPair && {
      changed: ["most changed first", (query) => -changeOf(query)],
      gained: ["where A is better first", (query) => -differenceOf(query)],
      lost: ["where B is better first", (query) => differenceOf(query)],
    }),
    ...(judged && !isPair && {
      worst: ["worst first", (query) => precisionOf(query, first)],
      best: ["best first", (query) => -(first.precision[query] ?? -1)],
      sure: ["surely wrong first", (query) => (["none", "later"].includes(outcomeOf(query)) ? -topOf(query) : 1)],
    }),
    ...(!judged && {
      doubtful: ["most doubtful first", (query) => marginOf(query)],
      certain: ["highest score first", (query) => -topOf(query)],
    }),
    file: ["as in the challenge", (query) => query],
  };

  // ---- filters

  const state = { page: 0, pair: null, chosen: [] };
  const searched = [];

  /** All that the search looks at, made for a query when it is first searched. */
  function textOf(query) {
    const own = queries.image[query];
    return (searched[query] ??= [
      queries.id[query],
      images.id[own],
      nameOf("animal", own),
      nameOf("viewpoint", own),
      nameOf("date", own),
      ...sides.flatMap((side) => side.images[query].map((image) => images.id[image])),
    ].join("\n").toLowerCase());
  }

  function isOfPair(query, [one, other]) {
    if (!first.images[query].length || first.precision[query] === null) return false;
    const animals = [queries.image[query], first.images[query][0]].map((image) => nameOf("animal", image));
    return animals[0] !== animals[1] && animals.every((animal) => animal === one || animal === other);
  }

  function choose() {
    const scenario = at("scenario").value, outcome = at("outcome").value;
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const key = ORDERS[at("order").value][1];
    const keys = new Map();
    for (let query = 0; query < queries.id.length; query += 1) {
      if (scenario !== "" && queries.scenario[query] !== Number(scenario)) continue;
      if (outcome !== "" && kindOf(query) !== outcome) continue;
      if (state.pair && !isOfPair(query, state.pair)) continue;
      if (!words.every((word) => textOf(query).includes(word))) continue;
      keys.set(query, key(query));
    }
    state.chosen = [...keys.keys()].sort((a, b) => keys.get(a) - keys.get(b) || a - b);
    state.page = 0;
    show();
  }

  // ---- the page of the gallery

  function captionOf(image) {
    const about = ["animal", "viewpoint", "date"].map((column) => nameOf(column, image)).filter(Boolean);
    return [
      make("span", { className: "id" }, isolated(images.id[image], images.id[image])),
      ...about.map((text) => make("span", { className: "about" }, isolated(text, text))),
    ];
  }

  function candidate(query, sideNumber, row) {
    const side = sides[sideNumber], image = side.images[query][row], marks = side.marks[query];
    const right = Boolean(Number(marks[row]) & RIGHT);
    const judgement = judged && side.precision[query] !== null ? (right ? "right" : "wrong") : "unknown";
    const mark = { right: "✓", wrong: "✗", unknown: "" }[judgement];
    const score = side.scores[query][row];
    const isAlone = isPair && right && !sides[1 - sideNumber].images[query].includes(image);
    const button = make(
      "button",
      { type: "button", className: `candidate ${judgement} ${shapeOf(image)}` },
      make("span", { className: "rank" },
        make("span", {}, placeOf(marks, row)),
        make("span", { className: "mark", "aria-hidden": "true" }, mark),
        make("span", { className: "hidden" }, judgement === "unknown" ? "" : judgement),
        make("span", { className: "score" }, score.toFixed(3))),
      picture(image),
      ...(isAlone ? [make("span", { className: "alone" }, `only ${"AB"[sideNumber]} found it`)] : []),
      ...captionOf(image),
    );
    button.addEventListener("click", () => openCloser(query, sideNumber, row));
    return make("li", { className: shapeOf(image) }, button);
  }

  function missedOf(query) {
    const missed = queries.missed[query] ?? [];
    if (!missed.length) return [];
    const all = queries.unfound[query];
    const title = `Right, and not found${isPair ? " by either" : ""}: ${all}` + (all > missed.length ? `, of which ${missed.length} are shown` : "");
    return [make("details", { className: "missed" },
      make("summary", {}, title),
      make("ul", { className: "strip" }, ...missed.map((image) =>
        make("li", { className: shapeOf(image) }, make("div", { className: "candidate missing" }, picture(image), ...captionOf(image))))))];
  }

  function worthOf(query, side) {
    const said = [OUTCOMES[outcomeOf(query, side)]];
    if (judged && side.precision[query] !== null) {
      said.push(`average precision ${side.precision[query].toFixed(3)}`);
      said.push(`${side.hits[query]} of ${side.relevant[query]} found`);
    }
    return said.join(" · ");
  }

  function pairedWorthOf(query) {
    const kind = PAIRED[kindOf(query)];
    if (first.precision[query] === null) return kind;
    const difference = differenceOf(query);
    return difference ? `${kind} · ${difference > 0 ? "A" : "B"} better by ${Math.abs(difference).toFixed(3)}` : `${kind} · equally well answered`;
  }

  function stripOf(query, number) {
    const side = sides[number];
    const title = isPair ? [make("p", { className: "side" }, make("b", { className: `side-${number}` }, "AB"[number]), ` ${worthOf(query, side)}`)] : [];
    const rows = side.images[query].map((_, row) => candidate(query, number, row));
    if (!rows.length) return make("div", {}, ...title, make("p", { className: "quiet" }, "No answer."));
    const few = isPair ? rows.splice(0, AT_ONCE) : rows.splice(0);
    const more = rows.length ? [make("details", { className: "more" },
      make("summary", {}, `${rows.length} more`),
      make("ol", { className: "strip", start: AT_ONCE + 1 }, ...rows))] : [];
    return make("div", {}, ...title, make("ol", { className: "strip" }, ...few), ...more);
  }

  function card(query) {
    const own = queries.image[query];
    const scenario = gallery.scenarios[queries.scenario[query]];
    const heading = make("h3", {}, isolated(queries.id[query], queries.id[query]));
    const worth = isPair ? pairedWorthOf(query) : worthOf(query, first);
    return make("article", { className: "query", "data-outcome": kindOf(query), tabIndex: -1, "aria-label": `query ${queries.id[query]}` },
      make("header", {}, heading, make("p", { className: "quiet" }, isolated(scenario), ` · ${worth}`)),
      make("div", { className: "row" },
        make("figure", { className: `asked ${shapeOf(own)}` }, picture(own), make("figcaption", {}, ...captionOf(own))),
        make("div", { className: isPair ? "answers paired" : "answers" }, ...sides.map((_, number) => stripOf(query, number)), ...missedOf(query))));
  }

  const pages = () => Math.max(1, Math.ceil(state.chosen.length / PER_PAGE));

  function show() {
    const from = state.page * PER_PAGE;
    const shown = state.chosen.slice(from, from + PER_PAGE);
    at("queries").replaceChildren(...shown.map(card));
    at("pages").textContent = pages().toLocaleString("en");
    at("page").value = state.page + 1;
    at("page").max = pages();
    at("previous").disabled = state.page === 0;
    at("next").disabled = state.page + 1 >= pages();
    const all = queries.id.length.toLocaleString("en");
    const range = shown.length ? `, ${(from + 1).toLocaleString("en")} to ${(from + shown.length).toLocaleString("en")} shown` : "";
    const count = [`${state.chosen.length.toLocaleString("en")} of ${all} queries${range}`];
    if (state.pair) {
      const clear = make("button", { type: "button", className: "clear" }, "✕ show all animals");
      clear.addEventListener("click", () => { state.pair = null; choose(); });
      count.push("; only ", isolated(state.pair[0]), " taken for ", isolated(state.pair[1]), " or the other way round ", clear);
    }
    at("count").replaceChildren(...count);
  }

  function turnTo(page) {
    const wanted = Math.min(Math.max(0, page), pages() - 1);
    if (!Number.isInteger(wanted) || wanted === state.page) { at("page").value = state.page + 1; return; }
    state.page = wanted;
    show();
    at("gallery-section").scrollIntoView();
  }

  // ---- a candidate beside its query, large

  const closer = at("closer");
  let looked = null;

  function fillCloser() {
    const { query, side, row } = looked;
    const answer = sides[side].images[query][row];
    for (const [where, image] of [["closer-query", queries.image[query]], ["closer-answer", answer]]) {
      at(where).replaceChildren(picture(image));
      at(where).nextElementSibling.replaceChildren(...captionOf(image));
    }
    const right = Number(sides[side].marks[query][row]) & RIGHT;
    const judgement = judged && sides[side].precision[query] !== null ? (right ? "✓ right" : "✗ wrong") : "";
    const words = [isPair ? "AB"[side] : "", `place ${placeOf(sides[side].marks[query], row)}`, `score ${sides[side].scores[query][row]}`, judgement];
    at("closer-title").replaceChildren(isolated(queries.id[query]), ` · ${words.filter(Boolean).join(" · ")}`);
    closer.dataset.judgement = judgement.slice(2);
  }

  function openCloser(query, side, row) {
    looked = { query, side, row };
    fillCloser();
    closer.showModal();
  }

  function walkCloser(step) {
    const row = looked.row + step;
    if (row < 0 || row >= sides[looked.side].images[looked.query].length) return;
    looked.row = row;
    fillCloser();
  }

  // ---- keyboard

  function walkQueries(step) {
    const cards = [...at("queries").children];
    const here = cards.findIndex((each) => each.contains(document.activeElement));
    const next = cards[Math.min(Math.max(0, here + step), cards.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "start" });
  }

  const KEYS = {
    n: () => turnTo(state.page + 1),
    p: () => turnTo(state.page - 1),
    j: () => walkQueries(1),
    k: () => walkQueries(-1),
    "/": () => at("find").focus(),
  };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (closer.open) {
      if (event.key === "ArrowLeft") walkCloser(-1);
      if (event.key === "ArrowRight") walkCloser(1);
      return;
    }
    if (event.target.closest("input, select, textarea") || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  }

  // ---- start

  const option = (value, text) => make("option", { value }, text);

  function fillFilters() {
    const outcomes = new Set(queries.id.map((_, query) => kindOf(query)));
    at("scenario").append(option("", "all"), ...gallery.scenarios.map((name, number) => option(number, name)));
    at("outcome").append(option("", "all"), ...Object.entries(KINDS).filter(([name]) => outcomes.has(name)).map((each) => option(...each)));
    at("order").append(...Object.entries(ORDERS).map(([name, [text]]) => option(name, text)));
  }

  function listen() {
    let waiting = 0;
    at("filters").addEventListener("submit", (event) => event.preventDefault());
    for (const id of ["scenario", "outcome", "order"]) at(id).addEventListener("change", choose);
    at("find").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(choose, 80); });
    at("previous").addEventListener("click", () => turnTo(state.page - 1));
    at("next").addEventListener("click", () => turnTo(state.page + 1));
    at("page").addEventListener("change", () => turnTo(Number(at("page").value) - 1));
    at("close").addEventListener("click", () => closer.close());
    document.addEventListener("keydown", onKey);
    for (const button of document.querySelectorAll("button.outcome")) {
      const { outcome } = button.dataset;
      button.disabled = ![...at("outcome").options].some((each) => each.value === outcome);
      button.addEventListener("click", () => {
        at("outcome").value = outcome;
        choose();
        at("gallery-section").scrollIntoView();
      });
    }
    for (const button of document.querySelectorAll("button.pair")) {
      button.addEventListener("click", () => {
        state.pair = [button.dataset.find, button.dataset.and];
        choose();
        at("gallery-section").scrollIntoView();
      });
    }
  }

  for (const place of document.querySelectorAll("[data-image]")) place.replaceChildren(picture(Number(place.dataset.image)));
  fillFilters();
  listen();
  choose();
})();
