/** Interactions: which one is shown, whose frame it shares, and how many there were. */
import { body, event, firstInput, Story } from "./story.mjs";

const ID = (i) => 4000 + 7 * i;
const started = (name, page) => new Story(name, page).loaded();

/** `durations[i]` is how long interaction i took; each is followed by an idle moment. */
function sequence(name, durations, { counts = (i) => i + 1, page } = {}) {
  const story = started(name, page).at(1000);
  durations.forEach((duration, i) => {
    story.wait(700);
    if (!page?.unsupported) story.count(counts(i));
    story.deliver(event(story.now - duration - 10, duration, ID(i)));
    story.wait(5).idle();
  });
  return story.hide();
}

function percentile() {
  const falling = (n) => Array.from({ length: n }, (_, i) => 48 + 8 * ((i * 37) % 60));
  const exact = [1, 9, 10, 11, 49, 50, 51, 99, 100, 101, 149, 150, 249, 250, 499, 500, 501].map((n) =>
    sequence(`${n} interactions are counted and twelve were slow`, falling(12), { counts: (i) => (i === 11 ? n : Math.min(i + 1, n)) }));
  return [
    ...exact,
    sequence("fifty-five interactions one after the other", falling(55)),
    sequence("one hundred and twenty interactions, all known", falling(120)),
    sequence("all interactions took the same time", Array(60).fill(96)),
    sequence("the slowest is the first and drops out of the percentile", [800, ...Array(54).fill(56)]),
    sequence("ids tell how many there were where the browser does not count", falling(56), { page: { unsupported: ["interactionCount"] } }),
    sequence("fewer entries than ids", [104, 64, 80], { page: { unsupported: ["interactionCount"] } }),
  ];
}

function sameInteraction() {
  const one = (name, ...batches) => {
    const story = started(name).at(2000).count(1);
    for (const entries of batches) story.deliver(...entries).wait(15).idle().wait(15);
    return story.hide();
  };
  return [
    one("pointerdown, pointerup and click of one interaction",
      [event(1500, 80, 4007), event(1560, 120, 4007, { name: "pointerup" }), event(1560, 120, 4007, { name: "click" })]),
    one("the longest event of an interaction comes later", [event(1500, 80, 4007)], [event(1700, 200, 4007, { name: "click", target: body("A.late") })]),
    one("the first target of an interaction stays", [event(1500, 80, 4007, { target: body("A.first") })], [event(1700, 200, 4007, { target: body("A.second") })]),
    one("equal latency and start: the first entry stays, the later may bring the target",
      [event(1500, 80, 4007, { target: null }), event(1500, 80, 4007, { name: "click", target: body("A.known") })]),
    one("equal latency but another start: ignored", [event(1500, 80, 4007, { target: null })], [event(1600, 80, 4007, { target: body("A.other") })]),
    one("a target that is only known as a selector", [event(1500, 80, 4007, { target: null, targetSelector: "#gone" })]),
    one("first-input and event of the same interaction", [firstInput(1500, 96, 4007), event(1500, 96, 4007)]),
    one("first-input alone, shorter than the threshold", [firstInput(1500, 16, 4007)]),
    one("first-input without an interaction is not one", [firstInput(1500, 96, 0)]),
    one("events without an interaction do not count", [event(1500, 400, 0, { name: "mousemove" })]),
    one("entries out of order in a batch", [event(1800, 80, 4014), event(1500, 160, 4007)]),
  ];
}

function frames() {
  const frame = (name, ...entries) => started(name).at(3000).count(2).deliver(...entries).wait(15).idle().hide();
  return [
    frame("events of one frame share its processing",
      event(1500, 200, 4007, { processingStart: 1520, processingEnd: 1560 }), event(1540, 160, 0, { processingStart: 1560, processingEnd: 1650, name: "mouseup" })),
    ...[8, 8.1].map((apart) => frame(`frames that end ${apart} ms apart`,
      event(1500, 200, 4007, { processingStart: 1510, processingEnd: 1560 }), event(1500 + apart, 200, 0, { processingStart: 1490, processingEnd: 1680 }))),
    frame("a handler of the frame began before the interaction", event(1400, 300, 0, { processingStart: 1405, processingEnd: 1530 }), event(1500, 200, 4007)),
    frame("handlers that run longer than the event, as behind an alert", event(1500, 96, 4007, { processingStart: 1510, processingEnd: 2400 })),
    frame("processing that starts after the rounded end", event(1500, 96, 4007, { processingStart: 1599.5, processingEnd: 1601 })),
    frame("two interactions in one frame", event(1500, 200, 4007), event(1502, 192, 4014, { name: "keydown" })),
    started("the frame of the shown interaction grows after it was shown").at(2000).count(1).deliver(event(1500, 200, 4007)).wait(20).idle()
      .wait(20).deliver(event(1600, 104, 0, { processingStart: 1650, processingEnd: 1699 })).wait(20).idle().hide(),
    started("forty frames later the shown interaction still knows its own").at(2000).count(1).deliver(event(1500, 400, 4007)).wait(20).idle()
      .deliver(...Array.from({ length: 40 }, (_, i) => event(2000 + 50 * i, 40, 0, { name: "keydown" }))).wait(2500).idle().hide(),
  ];
}

function moments() {
  return [
    started("no interaction: no INP").at(2000).hide(),
    started("interactions without any entry are no INP on a load").at(2000).count(3).hide(),
    started("an interaction is pending when the page is hidden").at(2000).count(1).step("pend", { entries: [event(1900, 80, 4007)] }).step("hide"),
    started("an interaction is delivered, and the page hidden before it was idle").at(2000).count(1).deliver(event(1900, 80, 4007)).hide(),
    started("two batches before one idle moment").at(2000).count(2).deliver(event(1700, 80, 4007)).wait(10).deliver(event(1690, 120, 4014)).wait(10).idle().hide(),
    started("short interactions alone move the percentile, and nothing is delivered").at(2000).count(2)
      .deliver(event(1500, 200, 4007), event(1800, 80, 4014)).wait(10).idle().wait(50).count(60).wait(500).hide(),
    started("two batches before one idle moment, of the same latency").at(2000).count(2).deliver(event(1790, 80, 4007)).wait(10).deliver(event(1690, 80, 4014)).wait(10).idle().hide(),
    started("the percentile moves down to an interaction of the same latency").at(2000).count(2)
      .deliver(event(1500, 200, 4007), event(1800, 200, 4014, { name: "keydown" })).wait(10).idle().wait(50).count(60).wait(500).deliver(event(2500, 40, 0)).wait(5).idle().hide(),
    started("slower interactions after the page was shown again").at(2000).count(1).deliver(event(1900, 80, 4007)).wait(20).idle().hide().show()
      .wait(900).count(2).deliver(event(3000, 240, 4014)).wait(20).idle().hide(),
    ...[[200, "good"], [208, "more than good"], [500, "at the border to poor"], [504, "poor"]].map(([duration, what]) => sequence(`${duration} ms are ${what}`, [duration])),
    started("the tenth and the eleventh are equally slow: the earlier one stays").at(2000).count(500)
      .deliver(...Array.from({ length: 11 }, (_, i) => event(1000 + 60 * i, i < 9 ? 200 : 80, ID(i)))).wait(10).idle().hide(),
    started("eleven slow ones: the shortest of them is forgotten").at(2000).count(11)
      .deliver(...Array.from({ length: 11 }, (_, i) => event(1000 + 60 * i, 48 + 8 * i, ID(i)))).wait(10).idle().wait(10).count(500).wait(5).deliver(event(2100, 40, ID(0))).wait(5).idle().hide(),
  ];
}

export const inp = () => [...percentile(), ...sameInteraction(), ...frames(), ...moments()];
