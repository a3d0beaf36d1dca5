/** The load itself: first byte, first paint, how the page came to be, and what the browser cannot do. */
import { body, event, hidden, largest, paint, resource, shift, Story, visible } from "./story.mjs";

const finish = (story) => story.wait(100).step("load").wait(20).idle().hide();
const whole = (name, page) => finish(new Story(name, page).at(300).deliver(paint(280)).deliver(largest(285)).wait(10).deliver(shift(305, 0.12)));

function firstByte() {
  return [
    whole("a plain load"),
    ...[800, 800.1, 1800, 1800.1].map((responseStart) =>
      finish(new Story(`the first byte at ${responseStart} ms`, { navigation: { responseStart, requestStart: 70 }, start: 1900 }).at(2000).deliver(paint(1950)))),
    ...[[0, "hidden by the browser"], [-3, "negative"], [1e7, "in the future"]].map(([responseStart, what]) =>
      whole(`a first byte that is ${what} is none`, { navigation: { responseStart } })),
    whole("a service worker started", { navigation: { workerStart: 4, fetchStart: 20 } }),
    whole("a connection that was already open", { navigation: { domainLookupStart: 2.5, domainLookupEnd: 2.5, connectStart: 2.5, connectEnd: 2.5 } }),
    ...["reload", "back_forward"].map((type) => whole(`navigation type ${type}`, { navigation: { type } })),
    whole("a discarded tab comes back", { wasDiscarded: true }),
    whole("a discarded tab is reloaded", { wasDiscarded: true, navigation: { type: "reload" } }),
    new Story("hidden before load: no first byte yet").at(300).deliver(paint(280), largest(285)).hide(),
    new Story("hidden before load, and loaded while hidden").at(300).deliver(paint(280), largest(285)).hide().wait(300).step("load").show().wait(30).idle().hide(),
  ];
}

function firstPaint() {
  return [
    ...[1800, 1800.1, 3000, 3000.1].map((time) => finish(new Story(`first paint at ${time} ms`).at(time + 10).deliver(paint(time)))),
    finish(new Story("first-paint alone is not contentful").at(300).deliver(paint(280, "first-paint"))),
    finish(new Story("no paint at all")),
    finish(new Story("both paint entries in one batch").at(300).deliver(paint(270, "first-paint"), paint(280))),
    new Story("painted before it was hidden, delivered after").at(300).step("load").wait(20).idle().hide().wait(20).deliver(paint(330)).show().wait(20).hide(),
    new Story("painted after it was hidden").at(300).step("load").wait(20).idle().hide().wait(900).step("show").wait(20).deliver(paint(1270)).wait(5).hide(),
  ];
}

function visibility() {
  const late = (name, buffered, page) => new Story(name, { start: 5000, readyState: "complete", buffered, ...page }).wait(10).idle().wait(300).deliver(shift(5200, 0.02)).hide();
  const all = [paint(280), resource("http://site.test/a.js", 100), largest(500), shift(600, 0.1)];
  return [
    whole("hidden from the start", { state: "hidden", buffered: [hidden(0)] }),
    finish(new Story("hidden from the start, then shown", { state: "hidden" }).at(250).step("show").at(300).deliver(paint(280), largest(285)).wait(10).deliver(shift(305, 0.12))),
    late("started late on a page that was always visible", [visible(0), ...all]),
    late("started late; the page was hidden before its first paint", [hidden(100), visible(200), ...all]),
    late("started late; the page was hidden between its paints", [visible(0), hidden(400), visible(450), ...all]),
    late("started late; the page was hidden after its paints", [visible(0), hidden(900), visible(1000), ...all]),
    late("started late; the page was hidden at the very moment of its paints", [visible(0), hidden(500), visible(600), paint(500), largest(500)]),
    late("started late; hidden now", [visible(0), hidden(900), ...all], { state: "hidden" }),
    late("started late with an interaction in the buffer", [...all, event(1000, 120, 4007)]),
    late("started late with a hundred resources in the buffer", [paint(280), ...Array.from({ length: 100 }, (_, i) => resource(`http://site.test/${i}.js`, 200 + i)),
      resource("http://site.test/x.jpg", 350), largest(500, { url: "http://site.test/x.jpg" })]),
  ];
}

function prerender() {
  const begin = (name, buffered = []) => new Story(name, { state: "hidden", prerendering: true, buffered });
  const activate = (story, state = "visible") => story.step("activate", { state, activationStart: story.now - 2 });
  const rest = (story) => story.wait(30).idle().wait(100).deliver(shift(story.now - 5, 0.11)).wait(20).hide();
  return [
    rest(activate(begin("prerendered, painted and loaded before it was activated").at(300).deliver(paint(280), largest(285)).wait(50).step("load").at(1000))),
    rest(activate(begin("prerendered; painted after activation").at(300).step("load").at(1000)).wait(40).deliver(paint(1020), largest(1030))),
    rest(activate(begin("prerendered; painted on both sides of activation").at(300).deliver(paint(280), largest(285)).step("load").at(1000)).wait(40).deliver(largest(1030))),
    rest(activate(begin("prerendered; loaded after activation").at(300).deliver(paint(280), largest(285)).at(1000)).wait(40).step("load")),
    rest(activate(begin("activated in a background tab").at(300).deliver(paint(280), largest(285)).step("load").at(1000), "hidden").wait(200).step("show")),
    rest(activate(begin("the first byte came after activation").at(300).deliver(paint(280), largest(285)).step("load").at(301))),
    rest(activate(begin("shifts while it was prerendered").at(300).deliver(paint(280)).wait(10).deliver(shift(305, 0.2)).step("load").at(1000))),
    rest(new Story("started late on a page that was prerendered", { start: 3000, readyState: "complete", navigation: { activationStart: 900, type: "navigate" },
      buffered: [hidden(0), visible(900), paint(1000), largest(1100)] })),
    rest(new Story("prerendered, hidden since and shown again, then started", { start: 3000, readyState: "complete", navigation: { activationStart: 900 },
      buffered: [hidden(0), visible(900), hidden(1050), visible(1200), paint(1000), largest(1100)] })),
  ];
}

function unsupported() {
  const rich = (name, missing) => {
    const story = new Story(name, { unsupported: missing }).at(300).deliver(paint(280), largest(285, { element: body("P") })).wait(100).step("load").wait(20).idle();
    return story.at(1000).deliver(shift(990, 0.1)).count(1).deliver(event(900, 80, 4007)).wait(10).idle().hide();
  };
  return [
    rich("as WebKit before 26: no shifts, no interaction ids", ["layout-shift", "interactionId", "interactionCount"]),
    rich("as Firefox before 144: no shifts, no interaction ids, no visibility entries", ["layout-shift", "interactionId", "interactionCount", "visibility-state"]),
    rich("no largest paint", ["largest-contentful-paint"]),
    rich("no events", ["event", "first-input", "interactionId", "interactionCount"]),
    rich("no paint timing, hence no CLS either", ["paint"]),
    rich("no navigation timing", ["navigation"]),
    rich("no visibility entries", ["visibility-state"]),
    rich("no resource entries", ["resource"]),
  ];
}

export const load = () => [...firstByte(), ...firstPaint(), ...visibility(), ...prerender(), ...unsupported()];
