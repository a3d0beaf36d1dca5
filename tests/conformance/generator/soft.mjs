/** Soft navigations: what belongs to the view before and what to the new one. */
import { body, event, firstInput, largest, resource, shift, Story } from "./story.mjs";

const IMAGE = "http://site.test/route.jpg";

/** A paint that an interaction led to, of the interaction that began at `startTime`. */
const interactionPaint = (startTime, renderTime, interactionId, { element = body("MAIN>H1"), url = "", loadTime = 0 } = {}) => ({
  entryType: "interaction-contentful-paint", startTime, duration: renderTime - startTime, interactionId, paintTime: renderTime - 8, presentationTime: renderTime,
  largest: { startTime: renderTime, renderTime, loadTime, size: 900, url, element },
});

const soft = (startTime, presentationTime, n, more = {}) => ({
  entryType: "soft-navigation", name: `http://site.test/route/${n}`, startTime, duration: presentationTime - startTime, navigationId: 100 + n,
  interactionId: 4000 + 7 * n, paintTime: presentationTime - 8, presentationTime, ...more,
});

const ID = (n) => 4000 + 7 * n;
const started = (name, page) => new Story(name, { soft: true, interactions: 0, ...page }).wait(60).deliver(largest(255)).loaded();
const end = (story) => story.wait(400).idle().hide();

/** A click that navigates, as Chromium tells it: the events, then the paint with the navigation, and an idle moment. */
function go(story, n, { took = 40, largestPaint = true, idle = true } = {}) {
  const start = story.now;
  const paint = interactionPaint(start, start + took, ID(n));
  story.step("click").count(n);
  story.wait(took + 3).deliver(event(start, 8 * Math.ceil(took / 8), ID(n)), event(start, 8 * Math.ceil(took / 8), ID(n), { name: "click" }));
  story.wait(0.2).deliver(paint, soft(start, start + took, n, largestPaint ? { largest: paint } : {}));
  return idle ? story.wait(5).idle() : story;
}

function views() {
  return [
    end(go(started("one soft navigation").at(1000), 1)),
    end(go(go(go(started("three soft navigations").at(1000), 1).at(2000), 2).at(3000), 3)),
    end(go(started("a slow one").at(1000), 1, { took: 700 })),
    end(go(started("the browser knows no largest paint of it").at(1000), 1, { largestPaint: false })),
    end(go(started("before the load is over: no first byte yet").at(1000), 1)),
    end(go(started("of a browser that does not count interactions", { unsupported: ["interactionCount"] }).at(1000), 1)),
    end(go(started("of a page without a first paint: shifts begin with the soft one").at(1000), 1).wait(700).deliver(shift(1700, 0.1))),
    end(go(new Story("on a page that was never painted", { soft: true }).at(300).step("load").wait(20).idle().at(1000), 1).wait(700).deliver(shift(1700, 0.1))),
    end(go(started("on a page without a sane navigation entry", { navigation: { responseStart: 0 } }).at(1000), 1)),
    ...[["presentationTime", 0], ["paintTime", 0]].map(([field, value]) => {
      const story = started(`${field} is not disclosed`).at(1000).step("click").count(1).wait(50);
      return end(story.deliver(soft(1000, 1040, 1, { [field]: value })).wait(5).idle());
    }),
    end(started("neither paint time is disclosed").at(1000).wait(50).deliver(soft(1000, 1040, 1, { presentationTime: 0, paintTime: 0 })).wait(5).idle()),
    end(started("painted before it began, by its own clock").at(1000).wait(50).deliver(soft(1000, 1040, 1, { presentationTime: 990, paintTime: 985 })).wait(5).idle()),
    end(go(started("a first byte of more than 800 ms is the load's alone", { start: 1000, navigation: { responseStart: 900, requestStart: 70 } }).at(1500), 1)),
  ];
}

function paints() {
  const growing = (name, ...more) => {
    const story = go(started(name).at(1000), 1);
    for (const [startTime, time, id, details] of more) story.at(Math.max(time + 6, story.now)).deliver(interactionPaint(startTime, time, id, details));
    return story;
  };
  const image = { url: IMAGE, element: body("IMG.r"), loadTime: 1290 };
  return [
    end(growing("a larger paint of the same interaction", [1000, 1300, ID(1)])),
    end(growing("a paint of another interaction", [1200, 1300, ID(2)])),
    end(growing("a paint that counts from another start than the navigation", [1000.4, 1300, ID(1)])),
    end(go(started("an image and its resource").at(1000), 1).at(1280).deliver(resource(IMAGE, 1060, { responseEnd: 1270 })).at(1310).deliver(interactionPaint(1000, 1300, ID(1), image))),
    end(go(started("an image that was requested before the click").at(900).deliver(resource(IMAGE, 700)).at(1000), 1).at(1310).deliver(interactionPaint(1000, 1300, ID(1), image))),
    end(go(started("an image that was painted from the cache of the load").at(900).deliver(resource(IMAGE, 300)).at(1000), 1).at(1310).deliver(interactionPaint(1000, 1300, ID(1), image))),
    end(growing("input ends it").step("click").wait(5).idle().at(1306).deliver(interactionPaint(1000, 1300, ID(1)))),
    end(growing("a paint between input and the idle moment counts").step("click").at(1306).deliver(interactionPaint(1000, 1300, ID(1))).idle()),
    growing("hidden ends it").wait(100).idle().hide().wait(20).deliver(interactionPaint(1000, 1100, ID(1))).show().at(3000).deliver(interactionPaint(1000, 2990, ID(1))).hide(),
    end(go(started("a page that was hidden before is seen now").wait(50).hide().wait(300).step("show").at(1500), 1)),
    end(started("a paint of an interaction that does not navigate").at(1000).count(1).wait(50).deliver(event(1000, 48, ID(1)), interactionPaint(1000, 1040, ID(1))).wait(5).idle()),
    end(started("several candidates of the load in one batch").wait(50).deliver(largest(430), largest(440))),
    new Story("the last of a batch was painted after hiding: the one before counts", { soft: true, start: 900, buffered: [{ entryType: "paint", name: "first-contentful-paint", startTime: 210 }, largest(260), largest(700), { entryType: "visibility-state", name: "hidden", startTime: 600 }] })
      .at(950).step("load").wait(20).idle().hide(),
  ];
}

function shifts() {
  return [
    end(go(started("shifts before and after").at(600).deliver(shift(590, 0.2)).at(1000), 1).at(1800).deliver(shift(1790, 0.05), shift(1795, 0.05))),
    end(go(started("a session window does not reach across").at(960).deliver(shift(950, 0.2)).at(1000), 1).at(1100).deliver(shift(1090, 0.05))),
    end(go(started("shifts right after input do not count").at(1000), 1).at(1100).deliver(shift(1090, 0.4, { hadRecentInput: true }))),
    end(started("shifts of both views in the batch of the navigation").at(1000).step("click").count(1).at(1050)
      .deliver(shift(990, 0.1), shift(1045, 0.3), soft(1000, 1040, 1), shift(1040, 0.02)).wait(5).idle()),
    end(started("a shift at the very end of the navigation").at(1000).step("click").count(1).at(1050).deliver(shift(1040, 0.1), soft(1000, 1040, 1)).wait(5).idle()),
    ...[999.9, 1000].map((gap) => end(go(started(`windows of the new view, ${gap} ms apart`).at(1000), 1).at(2000).deliver(shift(2000, 0.1)).at(2000 + gap + 5).deliver(shift(2000 + gap, 0.1)))),
  ];
}

function interactions() {
  const clicks = (story, first, n, duration) => {
    for (let i = 0; i < n; i++) story.wait(300).count(first + i).deliver(event(story.now - duration - 5, duration, ID(first + i))).wait(5).idle();
    return story;
  };
  const many = (n) => clicks(go(started(`${n} interactions after the navigation`).at(1000), 1), 2, n, 64);
  return [
    end(clicks(go(clicks(started("interactions before and after").at(1000), 1, 2, 120), 3), 4, 2, 80)),
    end(go(started("none after it but short ones: 8 ms").at(1000), 1).wait(500).count(2).wait(10).idle()),
    end(go(started("none after it").at(1000), 1).wait(500)),
    ...[49, 50, 51].map((n) => end(many(n))),
    end(started("the event of the interaction ends behind the navigation, in its batch").at(1000).step("click").count(1).at(1050).deliver(event(1000, 48, ID(1)), firstInput(1000, 48, ID(1)), soft(1000, 1040, 1)).wait(5).idle()),
    end(started("the event of the interaction ends with the navigation, in its batch").at(1000).step("click").count(1).at(1050).deliver(event(999.9, 40.1, ID(1)), soft(1000, 1040, 1)).wait(5).idle()),
    end(started("the event of the interaction comes behind the navigation").at(1000).step("click").count(1).at(1050).deliver(soft(1000, 1040, 1)).wait(1).deliver(event(1000, 56, ID(1))).wait(5).idle()),
    end(go(go(started("two navigations before one idle moment").at(1000), 1, { idle: false }).wait(40), 2)),
    go(started("hidden before it was idle").at(1000), 1, { idle: false }).wait(10).hide(),
    end(clicks(go(started("ids tell how many there were", { unsupported: ["interactionCount"] }).at(1000), 1), 2, 3, 72)),
  ];
}

function journeys() {
  return [
    end(go(go(started("there, back from the cache, and there again").at(1000), 1).wait(300).restore(), 2)),
    end(go(started("away and back: a soft navigation in a restored view").restore().wait(300), 1)),
    end(go(go(started("hidden and shown between two").at(1000), 1).wait(200).hide().show().wait(300), 2)),
    end(go(new Story("on a page that was prerendered", { soft: true, state: "hidden", prerendering: true }).at(300).deliver({ entryType: "paint", name: "first-contentful-paint", startTime: 280 }, largest(285)).step("load").at(900)
      .step("activate", { state: "visible", activationStart: 898 }).wait(30).idle().at(1500), 1)),
    end(go(started("on a discarded tab that came back", { wasDiscarded: true }).at(1000), 1)),
    end(new Story("started late: the navigation is in the buffer", {
      soft: true, start: 3000, readyState: "complete", interactions: 1,
      buffered: [{ entryType: "paint", name: "first-contentful-paint", startTime: 280 }, largest(300), shift(700, 0.1), event(1000, 40, ID(1)), soft(1000, 1048, 1, { largest: interactionPaint(1000, 1048, ID(1)) }), interactionPaint(1000, 1048, ID(1)), interactionPaint(1000, 1300, ID(1)), shift(2000, 0.05)],
    }).wait(10).idle().wait(300)),
  ];
}

export const softNavigations = () => [...views(), ...paints(), ...shifts(), ...interactions(), ...journeys()];
