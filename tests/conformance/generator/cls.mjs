/** Session windows at their edges. */
import { body, shift, Story } from "./story.mjs";

const each = (story, shifts) => shifts.reduce((s, entry) => s.at(Math.max(s.now, entry.startTime + 5)).deliver(entry), story);
const after = (name, shifts, page) => each(new Story(name, page).loaded(), shifts).wait(200).hide();

function windows() {
  const gaps = [999, 999.9, 1000, 1000.1, 1001].map((gap) =>
    after(`a shift ${gap} ms after the last one`, [shift(1000, 0.1), shift(1000 + gap, 0.2)]));
  const spans = [4999, 4999.9, 5000, 5000.1, 5001].map((span) =>
    after(`a shift ${span} ms after the first of its window`, [0, 900, 1800, 2700, 3600, 4500, span].map((t) => shift(1000 + t, 0.05))));
  return [...gaps, ...spans];
}

function values() {
  return [
    after("no shift at all is a CLS of 0", []),
    after("only shifts after input", [shift(800, 0.3, { hadRecentInput: true }), shift(900, 0.2, { hadRecentInput: true })]),
    after("a shift after input between two others does not stretch their window",
      [shift(800, 0.1), shift(1500, 0.3, { hadRecentInput: true }), shift(2100, 0.1)]),
    after("a shift of 0 makes no window", [shift(800, 0), shift(900, 0.1), shift(1850, 0.1)]),
    after("a window of zeros is started anew by each", [shift(800, 0), shift(1700, 0), shift(2600, 0.1), shift(5790, 0.1), shift(6500, 0.1)]),
    after("two windows of the same sum: the first one is told of",
      [shift(800, 0.2, { sources: [body("DIV.first")] }), shift(4000, 0.2, { sources: [body("DIV.second")] })]),
    after("two shifts of the same size: the later one is blamed",
      [shift(800, 0.2, { sources: [body("DIV.first")] }), shift(900, 0.2, { sources: [body("DIV.second")] })]),
    after("sums are added in the order of arrival", [0.1, 0.2, 0.3, 0.7, 0.1].map((value, i) => shift(800 + 100 * i, value))),
    after("the worst window is not the last", [shift(800, 0.4), shift(5000, 0.1), shift(9000, 0.05)]),
    after("a later window becomes the worst step by step", [shift(800, 0.15), ...[0, 1, 2, 3].map((i) => shift(5000 + 300 * i, 0.05))]),
    after("exactly 0.1 is good", [shift(800, 0.1)]),
    after("exactly 0.25 needs improvement", [shift(800, 0.25)]),
    after("more than 0.25 is poor", [shift(800, 0.2500001)]),
    after("three hundred shifts in one minute", Array.from({ length: 300 }, (_, i) => shift(1000 + 200 * i, ((i * 7) % 11) / 1000))),
  ];
}

function blame() {
  return [
    after("the source is a text node", [shift(800, 0.2, { sources: [body("P>#text")] })]),
    after("the first source that is an element is blamed", [shift(800, 0.2, { sources: [body("P>#text"), body("MAIN#m"), body("DIV")] })]),
    after("the source has been removed", [shift(800, 0.2, { sources: [null] })]),
    after("no source is known", [shift(800, 0.2, { sources: [] })]),
    after("the largest shift has no source", [shift(800, 0.1), shift(900, 0.2, { sources: [] })]),
    after("the selector stops at an id", [shift(800, 0.2, { sources: [body("MAIN#m>UL.z.a>LI")] })]),
    after("the selector is cut before 100 characters",
      [shift(800, 0.2, { sources: [body(Array.from({ length: 9 }, (_, i) => `SECTION.quite-long-name-${i}`).join(">"))] })]),
    after("one part alone is longer than a selector may be", [shift(800, 0.2, { sources: [body("DIV." + "x".repeat(150))] })]),
  ];
}

function delivery() {
  const late = (name, ...entries) => new Story(name, { start: 3000, readyState: "complete" }).at(3010).deliver(...entries).wait(20).idle().wait(10).hide();
  return [
    new Story("shifts before the first paint are counted when it comes").at(230).deliver(shift(225, 0.2)).at(260)
      .deliver({ entryType: "paint", name: "first-contentful-paint", startTime: 240 }).wait(20).step("load").wait(20).idle().hide(),
    new Story("without a first paint there is no CLS").at(230).deliver(shift(225, 0.2)).wait(50).step("load").wait(20).idle().hide(),
    late("a window that ends inside a batch", { entryType: "paint", name: "first-contentful-paint", startTime: 300 },
      shift(400, 0.3), shift(2000, 0.1)),
    late("the larger window comes last in a batch", { entryType: "paint", name: "first-contentful-paint", startTime: 300 },
      shift(400, 0.1), shift(2000, 0.3)),
    new Story("three windows in one batch").loaded().at(9000).deliver(shift(800, 0.1), shift(3000, 0.3), shift(3100, 0.2), shift(6000, 0.2)).hide(),
    new Story("shifts that are pending when the page is hidden").loaded().at(900).step("pend", { entries: [shift(890, 0.2)] }).step("hide"),
    new Story("shifts while the page is hidden, and after it was shown again").loaded().at(900).deliver(shift(890, 0.1)).hide()
      .wait(100).deliver(shift(950, 0.1)).show().wait(100).deliver(shift(1600, 0.4)).hide(),
  ];
}

export const cls = () => [...windows(), ...values(), ...blame(), ...delivery()];
