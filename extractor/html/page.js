// What every page of mahdar has: the interface's language and theme, elements made of text alone, and folded spelling.
// Nothing here or in the other scripts makes markup of data: texts become text nodes, and only those.
"use strict";

const Page = (() => {
  const root = document.documentElement;
  const words = new Map(Object.entries(JSON.parse(document.getElementById("interface").textContent)));
  const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);
  let language = root.lang;

  // ── the interface's words ──────────────────────────────────────────────────────────────────────────────────────

  /** The interface's word of this name, with what is filled in; for a term that came later, the term. */
  function t(name, given = {}) {
    const text = words.get(language)[counted(name, given)];
    if (typeof text !== "string") return name.split(".").pop().replaceAll("_", " ");
    return text.replace(/\{(\w+)\}/g, (_, key) => number(given[key]));
  }

  /** The name of the form for a count, by the language's plural rules; the name itself where there is none of its own. */
  function counted(name, given) {
    if (typeof given?.count !== "number") return name;
    const form = `${name}.${new Intl.PluralRules(language).select(given.count)}`;
    return has(form) ? form : name;
  }

  /** Whether there is a word of this name. */
  function has(name) {
    return typeof words.get(language)[name] === "string";
  }

  /** The same as nodes: what is filled in stands apart, so that a sign or a bracket stays on its side of a number. */
  function filled(name, given) {
    const text = words.get(language)[counted(name, given)];
    if (typeof text !== "string") return [t(name)];
    return text.split(/\{(\w+)\}/).map((part, at) => {
      if (at % 2 === 0) return part;
      const value = number(given[part]);
      return make("bdi", { dir: /\p{L}/u.test(value) ? "auto" : "ltr" }, value);
    });
  }

  function number(value) {
    return typeof value === "number" ? value.toLocaleString(language === "ar" ? "ar-u-nu-latn" : language) : String(value);
  }

  function country(code) {
    try {
      return new Intl.DisplayNames([language], { type: "region" }).of(code) || code;
    } catch {
      return code;
    }
  }

  function languageName(code) {
    try {
      return new Intl.DisplayNames([language], { type: "language" }).of(code) || code;
    } catch {
      return visible(code);
    }
  }

  /** A date of EDTF for a reader; what is no plain day, month or year stays as it is. */
  function day(value) {
    const found = /^(\d{4}|XXXX)(?:-(\d\d)(?:-(\d\d))?)?$/.exec(value);
    if (!found) return value;
    const [, year, month, date] = found;
    const options = { timeZone: "UTC", ...(year !== "XXXX" && { year: "numeric" }), ...(month && { month: "long" }), ...(date && { day: "numeric" }) };
    if (!Object.keys(options).some((key) => key !== "timeZone")) return value;
    const locale = language === "ar" ? "ar-u-nu-latn-ca-gregory" : language;
    const at = new Date(Date.UTC(year === "XXXX" ? 2000 : Number(year), Number(month || 1) - 1, Number(date || 1)));
    const told = new Intl.DateTimeFormat(locale, options).format(at);
    return year === "XXXX" ? `${told}, ${t("why.year_unknown")}` : told;
  }

  // ── elements ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** An element with attributes; children are nodes or texts, null ones are left out. */
  function make(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  }

  // Controls that change the order of what is read, and those that no reader sees. A line's end may be \r\n.
  const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]/;
  const CONTROLS = new RegExp(CONTROL, "g");

  function escaped(control) {
    return `⟦U+${control.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟧`;
  }

  /** Text whose controls are written out, so that the order that is seen is the order that is there. */
  function visible(text) {
    return String(text).replace(CONTROLS, escaped);
  }

  /** Words of an article or a model, kept apart from what stands beside them. */
  function foreign(text, attributes) {
    return make("bdi", { dir: "auto", ...attributes }, visible(text));
  }

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  // ── folding, as the extractor folds ────────────────────────────────────────────────────────────────────────────

  const UNIFIED = new Map([
    ..."ٱا ىي ةه کك یي ھه ہه ،, ؛; ؟? ٪% ٫. ٬, ۔. ⁄/".split(" ").map((pair) => [...pair]),
    ...[..."«»‹›“”„‟‘’‚‛'`´ʼ′″"].map((mark) => [mark, '"']),
    ...[..."‐‒–—―−"].map((dash) => [dash, "-"]),
    ["ـ", ""],
  ]);
  const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u;
  // Marks of the combining classes 10 to 36 and from 200 on: points and accents, but no Indian vowel and no Thai tone.
  const MARK =
    /[\u0300-\u0333\u0339-\u034e\u0350-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07eb-\u07f3\u07fd\u0816-\u0819\u081b-\u0823\u0825-\u0827\u0829-\u082d\u0859-\u085b\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff\u0951-\u0954\u09fe\u0f18\u0f19\u0f35\u0f37\u0f39\u0f82\u0f83\u0f86\u0f87\u0fc6\u108d\u135d-\u135f\u17dd\u18a9\u1939-\u193b\u1a17\u1a18\u1a75-\u1a7c\u1a7f\u1ab0-\u1abd\u1abf-\u1ace\u1b6b-\u1b73\u1cd0-\u1cd2\u1cd5-\u1ce0\u1ced\u1cf4\u1cf8\u1cf9\u1dc0-\u1dff\u20d0\u20d1\u20d4-\u20d7\u20db\u20dc\u20e1\u20e7-\u20e9\u20ec-\u20f0\u2cef-\u2cf1\u2de0-\u2dff\u302a-\u302f\ua66f\ua674-\ua67d\ua69e\ua69f\ua6f0\ua6f1\ua8e0-\ua8f1\ua92b-\ua92d\uaab0\uaab2-\uaab4\uaab7\uaab8\uaabe\uaabf\uaac1\ufb1e\ufe20-\ufe2f\u{101fd}\u{102e0}\u{10376}-\u{1037a}\u{10a0d}\u{10a0f}\u{10a38}\u{10a3a}\u{10ae5}\u{10ae6}\u{10d24}-\u{10d27}\u{10eab}\u{10eac}\u{10f46}-\u{10f50}\u{10f82}-\u{10f85}\u{11100}-\u{11102}\u{11366}-\u{1136c}\u{11370}-\u{11374}\u{1145e}\u{16b30}-\u{16b36}\u{1d165}\u{1d166}\u{1d16d}-\u{1d172}\u{1d17b}-\u{1d182}\u{1d185}-\u{1d18b}\u{1d1aa}-\u{1d1ad}\u{1d242}-\u{1d244}\u{1e000}-\u{1e006}\u{1e008}-\u{1e018}\u{1e01b}-\u{1e021}\u{1e023}\u{1e024}\u{1e026}-\u{1e02a}\u{1e130}-\u{1e136}\u{1e2ae}\u{1e2ec}-\u{1e2ef}\u{1e8d0}-\u{1e8d6}\u{1e944}-\u{1e949}]/u;
  const UNSEEN = /[\p{Cc}\p{Cf}\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;
  const DIGIT = /\p{Nd}/u;
  const folds = new Map();

  function foldCharacter(character) {
    if (SPACE.test(character)) return " ";
    if (UNIFIED.has(character)) return UNIFIED.get(character);
    const spread = lower(character.normalize("NFKD")).normalize("NFKD");
    return [...spread].map(foldPart).join("").trim();
  }

  /** Case folding, where it is more than small letters: Cherokee's are its capitals. */
  function lower(text) {
    return text
      .replace(/[ßẞſς\u0345]/g, (letter) => ({ ß: "ss", ẞ: "ss", ſ: "s", ς: "σ", "\u0345": "ι" })[letter])
      .replace(/[\u1c80-\u1c88]/g, (letter) => letter.toUpperCase())
      .toLowerCase()
      .replace(/[\u13a0-\u13fd\uab70-\uabbf]/g, (letter) => letter.toUpperCase());
  }

  function foldPart(part) {
    if (MARK.test(part) || UNSEEN.test(part)) return "";
    if (UNIFIED.has(part)) return UNIFIED.get(part);
    return DIGIT.test(part) ? digit(part.codePointAt(0)) : part;
  }

  /** A decimal digit's value: its script's zero ends in 0 or in 6. */
  function digit(code) {
    const zero = code - (code & 15);
    return String(code - (DIGIT.test(String.fromCodePoint(zero)) ? zero : zero + 6));
  }

  function foldOne(character) {
    let folded = folds.get(character);
    if (folded === undefined) folds.set(character, (folded = foldCharacter(character)));
    return folded;
  }

  /** The text in the form in which spelling conventions do not differ, without white space at its ends. */
  function fold(text) {
    let folded = "";
    for (const character of String(text)) folded += foldOne(character);
    return folded.replace(/ +/g, " ").trim();
  }

  /** Where a folded word stands in a text: pairs of offsets in the text's own units. */
  function* places(text, word) {
    let folded = "";
    const from = [];
    let at = 0;
    for (const character of text) {
      const part = foldOne(character);
      if (!(part === " " && folded.endsWith(" "))) {
        for (let each = 0; each < part.length; each++) from.push(at);
        folded += part;
      }
      at += character.length;
    }
    from.push(at);
    for (let found = folded.indexOf(word); found >= 0 && word; found = folded.indexOf(word, found + word.length)) {
      const last = from[found + word.length - 1];
      yield [from[found], last + (text.codePointAt(last) > 0xffff ? 2 : 1)];
    }
  }

  // ── language and theme ─────────────────────────────────────────────────────────────────────────────────────────

  const listeners = [];

  function speak(code) {
    language = words.has(code) ? code : "en";
    root.lang = language;
    root.dir = RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
    for (const element of document.querySelectorAll("[data-t]"))
      element.replaceChildren(...filled(element.dataset.t, element.dataset.args ? JSON.parse(element.dataset.args) : {}));
    for (const element of document.querySelectorAll("[data-language]")) element.hidden = element.dataset.language !== language;
    for (const element of document.querySelectorAll("[data-number]")) element.textContent = number(Number(element.dataset.number));
    for (const listener of listeners) listener();
  }

  function begin() {
    const switches = { language: document.getElementById("language"), theme: document.getElementById("theme") };
    switches.language.addEventListener("change", () => speak(switches.language.value));
    switches.theme.addEventListener("change", () => {
      root.dataset.theme = switches.theme.value;
    });
    switches.language.value = language;
    speak(language);
  }

  return {
    t,
    has,
    number,
    country,
    languageName,
    day,
    make,
    visible,
    foreign,
    say,
    fold,
    places,
    begin,
    CONTROL,
    CONTROLS,
    escaped,
    isRightToLeft: (code) => RIGHT_TO_LEFT.has(String(code).split("-")[0].toLowerCase()),
    onSpeak: (listener) => listeners.push(listener),
    language: () => language,
  };
})();
