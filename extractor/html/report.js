// The articles of a report: each beside its records, found by search and filters, drawn when it comes into view.
"use strict";

(() => {
  const { t, make, foreign, visible, fold } = Page;

  const OUTER = "900px"; // so far outside the window an article is drawn: a reader who scrolls never meets an empty one
  const LANES = 4; // underlines below one another; a passage with more records than these says so by its label
  const LANE = 4; // pixels from one underline to the next
  const FEW_LETTERS = 60; // a line of text, by which the height of what is not drawn yet is guessed

  // ── the articles ───────────────────────────────────────────────────────────────────────────────────────────────

  const list = document.getElementById("articles");
  const form = document.getElementById("filters");

  function Article(data, index) {
    this.data = data;
    this.index = index;
    this.records = data.records.map((record, number) => new Item(record, number));
    const meetings = new Map(this.records.filter((item) => item.isMeeting).map((item) => [item.record.id, item]));
    for (const item of this.records) item.settle(meetings.get(item.record.meeting), data);
    this.direction = data.language ? (Page.isRightToLeft(data.language) ? "rtl" : "ltr") : null;
    this.shell = null;
    this.drawn = false;
  }

  /** A record, with what filters ask of it. */
  function Item(record, number) {
    this.record = record;
    this.number = number;
    this.isMeeting = record.task === "meetings";
    this.isStance = record.task === "stances";
    const target = this.isStance && record.target && record.target.actor;
    this.isFurther = !this.isMeeting && !this.isStance;
    const named = this.isFurther ? Object.values(record).flat().filter((value) => value && typeof value.name === "string") : [];
    this.actors = [...(this.isMeeting ? record.participants || [] : []), ...(this.isStance ? record.holders || [] : []), ...(target ? [target] : []), ...named];
    this.countries = new Set(this.actors.map((actor) => actor.country).filter(Boolean));
    if (this.isMeeting && record.place && record.place.country) this.countries.add(record.place.country);
    this.topics = new Set(this.isMeeting ? (record.topics || []).map((topic) => topic.code) : []);
    this.dates = null;
  }

  /** A stance has the day and the topics of its meeting, a record of a further task its first date; or the day its article appeared. */
  Item.prototype.settle = function (meeting, data) {
    const value = this.isMeeting ? this.record.date && this.record.date.value : meeting && meeting.record.date && meeting.record.date.value;
    const dated = this.isFurther && Object.values(this.record).find((one) => one && typeof one === "object" && "resolution" in one);
    this.dates = range(value) || (dated && range(dated.value)) || (this.isMeeting ? null : range(data.published));
    if (this.isStance && meeting) for (const code of meeting.topics) this.topics.add(code);
  };

  /** First and last day of an EDTF value; null where the year is unknown. */
  function range(value) {
    if (typeof value !== "string") return null;
    const [first, last = first] = value.split("/");
    const whole = [first, last].map((each) => /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(each));
    if (!whole[0] || !whole[1]) return null;
    const [[, year, month = "01", day = "01"], [, lastYear, lastMonth = "12", lastDay = "31"]] = whole;
    return [`${year}-${month}-${day}`, `${lastYear}-${lastMonth}-${lastDay}`];
  }

  /** Every word of an article and its records, folded; made when it is first asked for. */
  Article.prototype.folded = function () {
    if (this.words === undefined) this.words = fold([this.data.id, this.data.title || "", ...Object.values(this.data.kept || {}), this.data.text || "", ...this.records.map((item) => strings(item.record).join(" "))].join(" "));
    return this.words;
  };

  function strings(value) {
    if (typeof value === "string") return [value];
    return value && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
  }

  // ── filters ────────────────────────────────────────────────────────────────────────────────────────────────────

  const CHOICES = [
    ["country", (item) => item.countries, (code) => Page.country(code)],
    ["topic", (item) => item.topics, (code) => t(`topic.${code}`)],
    ["act", (item) => new Set(item.isStance ? [item.record.act] : []), (code) => t(`act.${code}`)],
    ["polarity", (item) => new Set(item.isStance ? [item.record.polarity] : []), (code) => t(`polarity.${code}`)],
  ];

  function offerChoices() {
    for (const [name, values, said] of CHOICES) {
      const counts = new Map();
      for (const article of articles) for (const item of article.records) for (const value of values(item)) counts.set(value, (counts.get(value) || 0) + 1);
      const chosen = form.elements[name].value;
      const options = [...counts].map(([value, count]) => [value, said(value), count]).sort((one, other) => one[1].localeCompare(other[1], Page.language()));
      form.elements[name].replaceChildren(
        make("option", { value: "" }, t("filter.any")),
        ...options.map(([value, text, count]) => make("option", { value }, `${visible(text)} (${Page.number(count)})`)),
      );
      form.elements[name].value = chosen;
    }
  }

  function offerActors() {
    const names = new Map();
    for (const article of articles) for (const item of article.records) for (const actor of item.actors) names.set(actor.name, (names.get(actor.name) || 0) + 1);
    const frequent = [...names].sort((one, other) => other[1] - one[1]).slice(0, 500);
    document.getElementById("actors").replaceChildren(...frequent.map(([name]) => make("option", { value: visible(name) })));
  }

  function asked() {
    const value = (name) => form.elements[name].value;
    return {
      words: fold(value("search")).split(" ").filter(Boolean),
      actor: fold(value("actor")),
      from: value("from"),
      to: value("to"),
      affirming: form.elements.affirming.checked,
      rejected: form.elements.rejected.checked,
      choices: CHOICES.map(([name, values]) => [value(name), values]).filter(([chosen]) => chosen),
    };
  }

  /** Whether a record fits all filters. */
  function fits(item, wanted) {
    if (!wanted.affirming && item.isStance && item.record.act === "affirm_importance") return false;
    if (!wanted.choices.every(([chosen, values]) => values(item).has(chosen))) return false;
    if (wanted.actor && !item.actors.some((actor) => actor.name && fold(actor.name).includes(wanted.actor))) return false;
    if (!wanted.from && !wanted.to) return true;
    return item.dates !== null && (!wanted.from || item.dates[1] >= wanted.from) && (!wanted.to || item.dates[0] <= wanted.to);
  }

  let current = null;

  function filter() {
    current = asked();
    const narrowed = Boolean(current.choices.length || current.actor || current.from || current.to);
    let shownArticles = 0;
    let shownRecords = 0;
    let all = 0;
    for (const article of articles) {
      article.fitting = new Set(article.records.filter((item) => fits(item, current)));
      const found = current.words.every((word) => article.folded().includes(word));
      const shown = found && (!narrowed || article.fitting.size > 0);
      article.shell.hidden = !shown;
      all += article.records.length;
      if (shown) {
        shownArticles += 1;
        shownRecords += article.fitting.size;
        if (article.drawn) article.sift();
      }
    }
    const told = t("shown", { articles: shownArticles, total: articles.length, records: shownRecords, all });
    document.getElementById("shown").textContent = shownArticles ? told : t("nothing");
    Page.say(shownArticles ? told : t("nothing"));
    shine();
  }

  // ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

  Article.prototype.open = function () {
    const { data } = this;
    const rejected = data.rejected.length;
    const counts = { meetings: this.records.filter((item) => item.isMeeting).length, stances: this.records.filter((item) => item.isStance).length, rejected };
    this.body = make("div", { class: "body" });
    const lines = Math.max((data.text || "").length / FEW_LETTERS, this.records.length * 7);
    this.body.style.minHeight = `${Math.min(Math.round(lines * 1.9), 400)}rem`;
    this.shell = make(
      "article",
      { class: "article", id: `a${this.index}`, tabindex: "-1", "aria-labelledby": `a${this.index}h` },
      make(
        "header",
        {},
        make("h3", { id: `a${this.index}h`, dir: "auto" }, make("a", { href: `#${encodeURIComponent(data.id)}` }, foreign(data.title || data.id))),
        data.title || data.url || data.kept ? make("p", { class: "about" }, ...source(data)) : null,
        data.text ? make("p", { class: "lede", dir: this.direction || "auto" }, visible(firstLine(data.text))) : null,
        make(
          "p",
          { class: "about" },
          data.language ? `${Page.languageName(data.language)} · ` : null,
          data.published ? t("published", { date: Page.day(data.published) }) : t("unpublished"),
          " · ",
          t("counts", counts),
        ),
      ),
      this.body,
    );
    return this.shell;
  };

  /** Where an article is from: its id, its page, and what else was kept of it. */
  function source(data) {
    const parts = [
      data.title ? foreign(data.id) : null,
      ...Object.values(data.kept || {}).map((text) => foreign(text)),
      data.url ? make("a", { href: data.url, class: "source", target: "_blank", rel: "noopener noreferrer" }, t("source"), " ↗") : null,
    ];
    return between(" · ", parts.filter(Boolean));
  }

  function firstLine(text) {
    const most = 110;
    const line = text.trimStart().split(/[\r\n]/u, 1)[0];
    return line.length > most ? `${line.slice(0, most).replace(/\s+\S*$/u, "")} …` : line;
  }

  Article.prototype.draw = function () {
    if (this.drawn) return;
    this.drawn = true;
    const paper = this.paper();
    this.cards = new Map(this.records.map((item) => [item, this.card(item)]));
    const column = make("section", { class: "records", "aria-label": t("records") }, this.records.length ? [...this.cards.values()] : make("p", { class: "aside" }, t("no_records")), this.rejections(), this.provenance());
    this.body.style.minHeight = "";
    this.body.replaceChildren(paper, column);
    this.sift();
  };

  /** The article's text with its evidence, or why it is not there. */
  Article.prototype.paper = function () {
    const { data } = this;
    this.marks = new Map(this.records.map((item) => [item, []]));
    if (data.text === undefined) return make("section", { class: "paper absent", "aria-label": t("text") }, make("p", { class: "notice" }, t(`presence.${data.presence}`)));
    const shown = make("div", { class: "text", dir: this.direction || "auto", lang: data.language ? visible(data.language) : null });
    this.nodes = [];
    const points = Array.from(data.text);
    for (const segment of segments(points.length, this.records)) this.lay(shown, points.slice(segment.start, segment.end).join(""), segment);
    return make("section", { class: "paper", "aria-label": t("text") }, shown);
  };

  /** Pieces of a text between the offsets at which evidence begins or ends, each with the records that it speaks for. */
  function segments(length, items) {
    const spans = items.flatMap((item) => item.record.evidence.filter((piece) => !piece.lost && piece.end <= length).map((piece) => ({ item, start: piece.start, end: piece.end })));
    const cuts = [...new Set([0, length, ...spans.flatMap((span) => [span.start, span.end])])].sort((one, other) => one - other);
    return cuts.slice(1).map((end, at) => {
      const start = cuts[at];
      return { start, end, items: [...new Set(spans.filter((span) => span.start <= start && span.end >= end).map((span) => span.item))] };
    });
  }

  Article.prototype.lay = function (place, text, { start, items }) {
    if (!items.length) {
      place.append(...this.textNodes(text));
      return;
    }
    const label = items.map((item) => visible(item.record.id)).join(", ");
    const link = make("a", { href: this.link(items[0]), title: label }, ...this.textNodes(text));
    const mark = make("mark", { "data-label": label }, link);
    this.underline(mark, items);
    const light = (lit) => items.forEach((item) => this.light(item, lit));
    listen(mark, light);
    for (const item of items) this.marks.get(item).push(mark);
    Object.assign(mark, { items, start });
    place.append(mark);
  };

  /** One line below the words for each record, in the colour of what it says. */
  Article.prototype.underline = function (mark, items) {
    const lanes = items.slice(0, LANES).map((item) => item.tone());
    mark.style.setProperty("background-image", lanes.map((tone) => `linear-gradient(var(--${tone}), var(--${tone}))`).join(", "));
    mark.style.setProperty("background-position", lanes.map((_, lane) => `0 calc(100% - ${lane * LANE}px)`).join(", "));
    mark.style.setProperty("padding-block-end", `${lanes.length * LANE}px`);
  };

  Item.prototype.tone = function () {
    return this.isMeeting ? "meeting" : this.isStance ? this.record.polarity : "further";
  };

  /** Text nodes, with what stands for a control between them; remembered with their offsets for the search. */
  Article.prototype.textNodes = function (text) {
    const nodes = [];
    const parts = text.split(new RegExp(`(${Page.CONTROL.source})`));
    parts.forEach((part, at) => {
      if (at % 2) nodes.push(make("span", { class: "control" }, Page.escaped(part)));
      else if (part) nodes.push(document.createTextNode(part));
      const from = this.nodes.length ? this.nodes[this.nodes.length - 1].to : 0;
      if (part) this.nodes.push({ node: at % 2 ? null : nodes[nodes.length - 1], from, to: from + part.length });
    });
    return nodes;
  };

  Article.prototype.link = function (item) {
    return `#${encodeURIComponent(this.data.id)}/${encodeURIComponent(item.record.id)}`;
  };

  function listen(element, light) {
    element.addEventListener("pointerenter", () => light(true));
    element.addEventListener("pointerleave", () => light(false));
    element.addEventListener("focusin", () => light(true));
    element.addEventListener("focusout", () => light(false));
  }

  Article.prototype.light = function (item, lit) {
    this.cards.get(item).classList.toggle("lit", lit);
    for (const mark of this.marks.get(item)) mark.classList.toggle("lit", lit);
  };

  /** Bring words into view where the text scrolls by itself, without moving the page. */
  function reveal(mark) {
    const paper = mark && mark.closest(".paper");
    if (!paper || paper.scrollHeight <= paper.clientHeight) return;
    const [inner, outer] = [mark.getBoundingClientRect(), paper.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) paper.scrollTop += inner.top - outer.top - paper.clientHeight / 4;
  }

  /** Show what fits the filters: cards, and of the marks those that still speak for a record. */
  Article.prototype.sift = function () {
    for (const [item, card] of this.cards) card.hidden = !this.fitting.has(item);
    const marks = new Set([...this.marks.values()].flat());
    for (const mark of marks) {
      const kept = mark.items.filter((item) => this.fitting.has(item));
      mark.classList.toggle("off", !kept.length);
      this.underline(mark, kept);
    }
    this.refused.hidden = !current.rejected || !this.data.rejected.length;
  };

  /** Who made the records, and what it took. */
  Article.prototype.provenance = function () {
    const { made } = this.data;
    const tokens = (made.tokens_in || 0) + (made.tokens_out || 0);
    const spent = [made.cached ? t("spent.cached") : tokens ? t("spent.tokens", { count: tokens }) : null, made.reasks ? t("spent.reasks", { count: made.reasks }) : null];
    const parts = [...(made.by || []).map((maker) => foreign(maker)), ...spent].filter(Boolean);
    return make("p", { class: "aside" }, ...between(" · ", parts));
  };

  // ── cards ──────────────────────────────────────────────────────────────────────────────────────────────────────

  Article.prototype.card = function (item) {
    const { record } = item;
    const rows = item.isMeeting ? meetingRows(record, this) : item.isStance ? stanceRows(record, this) : furtherRows(record, this);
    const card = make(
      "section",
      { class: `card ${item.tone()}`, id: `a${this.index}r${item.number}`, tabindex: "-1", "aria-labelledby": `a${this.index}r${item.number}h` },
      make(
        "h4",
        { id: `a${this.index}r${item.number}h` },
        make("a", { href: this.link(item), class: "id", title: t("link") }, foreign(record.id)),
        " ",
        ...heading(item),
      ),
      make("dl", {}, ...rows.filter(Boolean), this.evidenceRow(item), attributionRow(record)),
    );
    listen(card, (lit) => {
      this.light(item, lit);
      if (lit) reveal(this.marks.get(item)[0]);
    });
    return card;
  };

  const SIGNS = { favor: "+", against: "−", neutral: "=" };

  function heading(item) {
    const { record } = item;
    if (item.isMeeting) return [make("strong", {}, t(`kind.${record.kind}`)), tags([t(`status.${record.status}`), t(`channel.${record.channel}`), record.format && t(`format.${record.format}`)], record.status !== "held" && 0)];
    if (item.isStance)
      return [
        make("strong", {}, t(`act.${record.act}`)),
        make("span", { class: "tag polarity" }, make("span", { "aria-hidden": "true" }, SIGNS[record.polarity]), " ", t(`polarity.${record.polarity}`)),
        tags([record.holder_mode !== "individual" && t(`holder_mode.${record.holder_mode}`), t(`speech.${record.speech}`)]),
      ];
    return [make("strong", {}, foreign(record.task.replace(/^more\./, "")))];
  }

  function tags(texts, loud) {
    return texts.map((text, at) => text && make("span", { class: at === loud ? "tag loud" : "tag" }, text)).filter(Boolean);
  }

  /** Parts, each an element, a text or a list of them, with a sign between them. */
  function between(sign, parts) {
    return parts.flatMap((part, at) => (at ? [sign, part] : [part])).flat();
  }

  function row(name, ...content) {
    const shown = content.flat().filter(Boolean);
    return shown.length ? make("div", {}, make("dt", {}, Page.has(`field.${name}`) ? t(`field.${name}`) : foreign(name)), make("dd", {}, ...shown)) : null;
  }

  /** Lines of words and of what belongs to them, in the order in which the article is read. */
  function lines(values, said, dir) {
    return (values || []).map((value) => make("div", { class: "line", dir }, ...[said(value)].flat().filter(Boolean)));
  }

  function actor(one) {
    const described = [one.role, one.organization].filter(Boolean);
    return [
      foreign(one.name, { class: "name" }),
      one.country ? [" ", countryCode(one.country)] : null,
      one.capacity && one.capacity !== "principal" ? [" ", make("span", { class: "tag" }, t(`capacity.${one.capacity}`))] : null,
      described.length ? make("div", { class: "role" }, ...between(" · ", described.map((text) => foreign(text)))) : null,
    ].flat(3);
  }

  function meetingRows(record, { data, direction }) {
    return [
      row("participants", lines(record.participants, actor, direction)),
      row("date", date(record.date, data)),
      row("place", lines(record.place ? [record.place] : [], place, direction)),
      row("topics", lines(record.topics, (topic) => [foreign(topic.text), " ", make("span", { class: "tag" }, t(`topic.${topic.code}`))], direction)),
      row("outcomes", lines(record.outcomes, (outcome) => [foreign(outcome.text), " ", make("span", { class: "tag" }, t(`outcome.${outcome.type}`))], direction)),
      row("codes", codes(record)),
    ];
  }

  function stanceRows(record, article) {
    const target = record.target || {};
    const other = target.actor && target.actor.name !== target.text ? make("div", { class: "line", dir: article.direction }, ...actor(target.actor).filter(Boolean)) : null;
    const meeting = record.meeting ? article.records.find((item) => item.isMeeting && item.record.id === record.meeting) : null;
    return [
      row("holders", lines(record.holders, actor, article.direction)),
      row("on_behalf_of", record.on_behalf_of && foreign(record.on_behalf_of)),
      row("target", target.text && foreign(target.text), other),
      row("addressee", record.addressee && foreign(record.addressee)),
      row("proposition", record.proposition && foreign(record.proposition, { class: "said" })),
      row("meeting", record.meeting && (meeting ? make("a", { href: article.link(meeting) }, foreign(record.meeting)) : foreign(record.meeting))),
      row("codes", codes(record)),
    ];
  }

  /** Fields of a record that this page knows nothing of. */
  function furtherRows(record, { data, direction }) {
    return Object.entries(record)
      .filter(([name, value]) => !["id", "task", "evidence", "attribution"].includes(name) && value !== null && value !== "")
      .map(([name, value]) => row(name, lines([value].flat(), (one) => further(one, data), direction)));
  }

  /** A value of any form: an actor, a date or a place as those of a meeting; else its parts. */
  function further(value, data) {
    if (value === null || typeof value !== "object") return foreign(String(value));
    if (typeof value.name === "string") return actor(value);
    if (typeof value.text === "string" && "resolution" in value) return date(value, data);
    const parts = Object.values(value).flat().filter((part) => part !== null && part !== "");
    return between(" · ", parts.map((part) => further(part, data)));
  }

  function codes(record) {
    const found = [record.cameo && `CAMEO ${record.cameo}`, record.plover && `PLOVER ${record.plover}`].filter(Boolean);
    return found.length ? make("span", { class: "codes" }, foreign(found.join(" · "))) : null;
  }

  /** What the article says of the day, what that comes to, and why. */
  function date(found, data) {
    if (!found || !(found.text || found.value)) return null;
    const resolution = found.resolution || "unresolved";
    const why = resolution === "unresolved" && data.published ? "unresolved_dated" : resolution;
    const reasons = [t(`why.${why}`), ...(found.flags || []).map((flag) => t(`why.${flag}`))];
    const counted = ["relative_to_publication", "year_from_publication"].includes(resolution) && data.published;
    return [
      found.text ? make("span", { class: "said" }, "«", foreign(found.text), "»") : null,
      make("span", { class: "arrow", "aria-hidden": "true" }, Page.language() === "ar" ? " ← " : " → "),
      found.value ? make("time", { class: "value" }, foreign(found.value)) : make("span", { class: "value none" }, t("why.no_value")),
      make("div", { class: "why" }, found.value ? `${visible(Page.day(found.value))} · ` : null, reasons.join(" · "), counted ? ` (${data.published})` : null),
    ];
  }

  function place(found) {
    const words = between(" · ", [found.venue, found.city].filter(Boolean).map((text) => foreign(text)));
    return [...words, words.length ? " " : null, found.country ? countryCode(found.country) : null];
  }

  /** A country's code for those who look, its name for those who listen or point at it. */
  function countryCode(code) {
    const name = Page.country(code);
    return make("span", { class: "country", title: name }, make("span", {}, code), make("span", { class: "unseen" }, ` ${name}`));
  }

  Article.prototype.evidenceRow = function (item) {
    const pieces = item.record.evidence.map((piece) => {
      const loud = piece.lost ? make("span", { class: "tag loud" }, t("match.lost")) : null;
      const told = piece.match === "folded" ? make("span", { class: "tag" }, t("match.folded")) : null;
      const quote = piece.quote !== undefined ? make("q", {}, foreign(piece.quote)) : this.jump(item, piece);
      return make("div", { class: "line", dir: this.direction }, quote, " ", told, loud);
    });
    return row("evidence", pieces);
  };

  /** The first words of a piece of evidence, which lead to where they stand. */
  Article.prototype.jump = function (item, piece) {
    const button = make("button", { type: "button", class: "jump" }, foreign(this.excerpt(piece)));
    button.addEventListener("click", () => {
      const mark = this.marks.get(item).find((one) => one.start === piece.start);
      if (!mark) return;
      mark.scrollIntoView({ block: "center" });
      mark.firstChild.focus({ preventScroll: true });
    });
    return button;
  };

  /** The first words of a piece of evidence: enough to find it in the text beside. */
  Article.prototype.excerpt = function (piece) {
    const most = 60;
    const quote = Array.from(this.data.text).slice(piece.start, piece.end);
    return quote.length > most ? `${quote.slice(0, most).join("").replace(/\s+\S*$/u, "")} …` : quote.join("");
  };

  function attributionRow(record) {
    const sources = Array.isArray(record.attribution) ? record.attribution : [];
    return row("attribution", between(" ‹ ", sources.map((source) => foreign(source))));
  }

  Article.prototype.rejections = function () {
    this.refused = make("section", { class: "rejected", hidden: true, "aria-label": t("rejected") }, make("h4", {}, t("rejected")));
    this.refused.append(
      make("ul", {}, ...this.data.rejected.map((one) => make("li", {}, make("code", {}, foreign(`${one.task} ${one.path}`)), " ", make("strong", {}, foreign(one.reason)), item(one.item)))),
    );
    return this.refused;
  };

  function item(value) {
    if (value === null || value === undefined) return null;
    return make("pre", {}, foreign(typeof value === "string" ? value : JSON.stringify(value, null, 1)));
  }

  // ── search in the text ─────────────────────────────────────────────────────────────────────────────────────────

  const canShine = typeof Highlight === "function" && CSS.highlights;

  /** Light up the words that were searched, in the articles that are drawn. */
  function shine() {
    if (!canShine) return;
    const ranges = current.words.length ? articles.filter((article) => article.drawn && !article.shell.hidden && article.nodes).flatMap((article) => article.found(current.words)) : [];
    if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
    else CSS.highlights.delete("found");
  }

  Article.prototype.found = function (words) {
    return words.flatMap((word) => [...Page.places(this.data.text, word)]).flatMap(([start, end]) => {
      const [first, last] = [this.nodes.find((one) => one.to > start), this.nodes.find((one) => one.to >= end)];
      if (!first || !first.node || !last || !last.node) return [];
      const range = new Range();
      range.setStart(first.node, start - first.from);
      range.setEnd(last.node, end - last.from);
      return [range];
    });
  };

  // ── deep links ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The article and the record under the address's fragment. */
  function target() {
    const hash = location.hash.slice(1);
    const cut = hash.lastIndexOf("/");
    const whole = byId.get(decoded(hash));
    if (whole) return [whole, null];
    const article = cut < 0 ? undefined : byId.get(decoded(hash.slice(0, cut)));
    return article ? [article, article.records.find((one) => one.record.id === decoded(hash.slice(cut + 1)))] : [undefined, undefined];
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  function follow() {
    const [article, record] = location.hash.length > 1 ? target() : [undefined, undefined];
    if (record === undefined) {
      if (location.hash.length < 2 || document.getElementById(location.hash.slice(1))) return;
      Page.say(t("missing"));
      return;
    }
    if (article.shell.hidden || (record && !article.fitting.has(record))) {
      form.reset();
      filter();
      setTimeout(() => Page.say(t("cleared"))); // after what the reset says
    }
    article.draw();
    shine();
    const place = record ? article.cards.get(record) : article.shell;
    for (const old of document.querySelectorAll(".here")) old.classList.remove("here");
    place.classList.add("here");
    place.scrollIntoView({ block: record ? "center" : "start" });
    place.focus({ preventScroll: true });
    requestAnimationFrame(() => place.scrollIntoView({ block: record ? "center" : "start" })); // what came into view has its height now
  }

  // ── begin ──────────────────────────────────────────────────────────────────────────────────────────────────────

  let articles;
  let byId;

  function take(payload) {
    articles = payload.map((data, index) => new Article(data, index));
    byId = new Map([...articles].reverse().map((article) => [article.data.id, article]));
  }

  take(JSON.parse(document.getElementById("payload").textContent));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) if (entry.isIntersecting) entry.target.article.draw();
      if (current.words.length) shine();
    },
    { rootMargin: OUTER },
  );

  function lay() {
    const place = articles.find((article) => article.shell && !article.shell.hidden && article.shell.getBoundingClientRect().bottom > 0);
    const isRead = place && place.shell.getBoundingClientRect().top <= 0;
    watcher.disconnect();
    offerChoices();
    list.replaceChildren(
      ...articles.map((article) => {
        article.drawn = false;
        article.open().article = article;
        return article.shell;
      }),
    );
    filter();
    for (const article of articles) watcher.observe(article.shell);
    if (isRead) {
      place.draw();
      place.shell.scrollIntoView();
    }
  }

  let prepared = 0;
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, articles.length > 200 ? 200 : 0);
  });
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => articles.forEach((article) => article.shell.hidden || article.draw()));
  Page.onSpeak(lay);
  Page.begin();
  offerActors();
  follow();
  if (typeof requestIdleCallback === "function") requestIdleCallback(prepare);

  globalThis.Report = {
    /** Show these articles in place of those that are there. */
    show(payload) {
      take(payload);
      offerActors();
      lay();
    },
  };

  /** Fold what the first search will need, while nobody waits for anything. */
  function prepare(idle) {
    while (idle.timeRemaining() > 2 && prepared < articles.length) articles[prepared++].folded();
    if (prepared < articles.length) requestIdleCallback(prepare);
  }
})();
