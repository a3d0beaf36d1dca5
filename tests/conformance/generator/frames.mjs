/** Long animation frames around interactions, and how far the load had come. */
import { event, firstInput, largest, paint, shift, Story } from "./story.mjs";

const script = (startTime, duration, more = {}) => ({
  startTime, duration, sourceURL: "http://site.test/app.js", sourceFunctionName: "run", invoker: "BUTTON#go.onclick", invokerType: "event-listener", sourceCharPosition: 1200, ...more,
});
const frame = (startTime, duration, scripts = [], more = {}) => ({
  entryType: "long-animation-frame", name: "long-animation-frame", startTime, duration, renderStart: startTime + duration - 12, styleAndLayoutStart: startTime + duration - 10, blockingDuration: Math.max(duration - 50, 0), scripts, ...more,
});

const started = (name, page) => new Story(name, page).loaded().at(1000).count(1);

/** One interaction from 1100 to 1300, processed from 1120 to 1280, and the frames of the page. */
function one(name, frames, { behind = true, more = {} } = {}) {
  const story = started(name).at(1310);
  const interaction = event(1100, 200, 4007, { processingStart: 1120, processingEnd: 1280, ...more });
  if (behind) story.deliver(interaction).wait(1).deliver(...frames);
  else story.deliver(...frames).wait(1).deliver(interaction);
  return story.wait(10).idle().wait(100).hide();
}

function overlaps() {
  return [
    one("one frame around the interaction", [frame(1090, 200, [script(1121, 150)])]),
    one("its entry comes before the event", [frame(1090, 200, [script(1121, 150)])], { behind: false }),
    one("a frame that ended when the interaction began", [frame(1000, 100, [script(1010, 80)])]),
    one("a frame that ended just before", [frame(1000, 99.9, [script(1010, 80)])]),
    one("a frame that began when the processing ended", [frame(1280, 60, [script(1281, 40)])]),
    one("a frame that began just behind the processing", [frame(1280.1, 60, [script(1281, 40)])]),
    one("three frames, one of them before it", [frame(980, 110, [script(990, 90)]), frame(1095, 80, [script(1100, 60)]), frame(1180, 105, [script(1185, 80)])]),
    one("a script across the start counts from there", [frame(1040, 250, [script(1050, 100, { forcedStyleAndLayoutDuration: 40 }), script(1160, 90)])]),
    one("a script that ended before the start", [frame(1040, 250, [script(1050, 49), script(1160, 90)])]),
    one("a script that ended at the very start", [frame(1040, 250, [script(1050, 50), script(1160, 90)])]),
    one("the frame ends behind the next paint", [frame(1090, 260, [script(1121, 150)])]),
    one("the frame ends before the processing", [frame(1090, 100, [script(1121, 50)])]),
    one("a frame without scripts", [frame(1090, 200)]),
    one("a frame that rendered nothing", [frame(1090, 80, [script(1095, 70)], { renderStart: 0, styleAndLayoutStart: 0 }), frame(1180, 110, [script(1185, 80)])]),
    one("a script of no time at all", [frame(1090, 200, [script(1121, 0), script(1130, 0, { forcedStyleAndLayoutDuration: 5 })])]),
    one("forced style and layout", [frame(1090, 200, [script(1121, 33.3, { forcedStyleAndLayoutDuration: 11.1 }), script(1160, 66.6, { forcedStyleAndLayoutDuration: 22.3 })])]),
  ];
}

function longest() {
  const at = (startTime) => [frame(1090, 200, [script(startTime, 9, { sourceFunctionName: "first" }), script(1250, 8, { sourceFunctionName: "second" })])];
  const many = (n, lengths = (i) => 5 + (i % 3)) => [frame(1095, 250, Array.from({ length: n }, (_, i) => script(1100.5 + 7.3 * i, lengths(i), { sourceFunctionName: `f${i}`, forcedStyleAndLayoutDuration: i / 10 })))];
  return [
    ...[[1110, "in the input delay"], [1119.9, "just before the processing"], [1120, "at the start of the processing"], [1200, "in the processing"]].map(([time, what]) => one(`the longest script begins ${what}`, at(time))),
    one("the longest script begins at the end of the processing", [frame(1090, 230, [script(1121, 9), script(1280, 20)])]),
    one("two scripts took the same time: the first", [frame(1090, 200, [script(1121, 50, { sourceFunctionName: "first" }), script(1180, 50, { sourceFunctionName: "second" })])]),
    ...[8, 9, 20, 32, 33].map((n) => one(`${n} scripts in one frame`, many(n))),
    one("eight long scripts before the interaction, a short one behind its start", [frame(900, 390, [...Array.from({ length: 8 }, (_, i) => script(905 + 23 * i, 22, { sourceFunctionName: `old${i}` })), script(1130, 12, { sourceFunctionName: "own" })])]),
    one("a script of which nothing is known", [frame(1090, 200, [script(1121, 150, { sourceURL: "", sourceFunctionName: "", invoker: "", invokerType: "user-callback", sourceCharPosition: -1 })])]),
    one("a script with a query in its URL", [frame(1090, 200, [script(1121, 150, { sourceURL: "http://site.test/app.js?v=3", sourceCharPosition: 0 })])]),
  ];
}

function memory() {
  const busy = (story, n) => {
    for (let i = 0; i < n; i++) story.wait(100).deliver(frame(story.now - 80, 70, [script(story.now - 78, 60)])).wait(1).idle();
    return story;
  };
  const click = (story, id, duration) => story.wait(duration + 20).deliver(event(story.now - duration - 10, duration, id), frame(story.now - duration - 15, duration, [script(story.now - duration - 5, duration - 30)])).wait(5).idle();
  const slow = (name, n) => click(busy(click(started(name), 4007, 300), n), 4014, 120).count(2).wait(50).hide();
  const fifty = started("fifty-five interactions with a frame each");
  for (let i = 0; i < 55; i++) click(fifty.wait(200).count(i + 1), 4000 + 7 * i, 80 + 8 * ((i * 37) % 30));
  return [
    slow("the frames of the slowest are remembered over nine others", 9),
    slow("the frames of the slowest are remembered over fifty others", 50),
    fifty.hide(),
    started("a frame that comes when the interaction has been judged").at(1310).deliver(event(1100, 200, 4007)).wait(5).idle().wait(20).deliver(frame(1090, 200, [script(1121, 150)])).wait(30).hide(),
    started("a frame is pending when the page is hidden").at(1310).deliver(event(1100, 200, 4007)).wait(5).idle().wait(20).step("pend", { entries: [frame(1090, 200, [script(1121, 150)])] }).step("hide"),
    click(busy(click(started("across a return from the cache"), 4007, 300).restore(), 3).count(2), 4014, 120).wait(50).hide(),
  ];
}

const NAVIGATION = { domInteractive: 300, domContentLoadedEventStart: 400, domContentLoadedEventEnd: 410, domComplete: 600 };

function states() {
  const page = { navigation: NAVIGATION };
  const rest = (story) => story.at(Math.max(story.now, 610)).step("load").wait(30).idle().wait(100).hide();
  return [
    ...[250, 299.9, 300, 399.9, 400, 599.9].map((time) => rest(new Story(`first paint at ${time} ms`, page).at(time + 5).deliver(paint(time)))),
    rest(new Story("first paint when everything was loaded", page).at(610).step("load").at(700).deliver(paint(690))),
    ...[290, 350, 450, 650].map((time) => rest(new Story(`the largest shift at ${time} ms`, page).at(270).deliver(paint(260)).at(time + 5).deliver(shift(time, 0.2)))),
    ...[290, 350, 450, 650].map((time) => rest(new Story(`an interaction at ${time} ms`, page).at(270).deliver(paint(260)).count(1).at(time + 70).deliver(firstInput(time, 64, 4007)))),
    new Story("hidden while the document is parsed", page).at(265).deliver(paint(255), largest(258)).wait(5).deliver(shift(268, 0.2)).wait(1).step("hide").at(610).step("load").wait(30).idle().show().hide(),
    new Story("hidden when it was parsed", page).at(310).deliver(paint(255)).wait(5).deliver(shift(308, 0.2)).wait(1).step("hide").at(610).step("load").wait(30).idle().show().hide(),
    new Story("hidden before its load is over", page).at(310).deliver(paint(255)).at(450).deliver(shift(440, 0.2)).wait(1).step("hide").at(610).step("load").wait(30).idle().show().hide(),
    rest(new Story("started late", { ...page, start: 2000, readyState: "complete", buffered: [paint(320), largest(330), shift(450, 0.1), event(500, 80, 4007)], interactions: 1 }).at(2001).idle()),
    new Story("short interactions of a restored view", page).at(270).deliver(paint(260)).at(610).step("load").wait(30).idle().count(1).restore().wait(300).count(2).wait(5).idle().hide(),
    rest(new Story("prerendered: before and after its activation", { ...page, state: "hidden", prerendering: true }).at(265).deliver(paint(255)).at(610).step("load").at(900).step("activate", { state: "visible", activationStart: 899 }).wait(30).idle().count(1).wait(300).deliver(event(1100, 80, 4007), shift(1150, 0.1)).wait(5).idle()),
    rest(new Story("a discarded tab that came back", { ...page, wasDiscarded: true }).at(340).deliver(paint(330)).count(1).wait(100).deliver(event(380, 48, 4007), shift(420, 0.1)).wait(5).idle()),
  ];
}

export const frames = () => [...overlaps(), ...longest(), ...memory()];
export const loadStates = () => states();
