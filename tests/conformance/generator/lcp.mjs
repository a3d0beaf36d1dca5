/** The last candidate, what ends the search, and the resource that was painted. */
import { body, hidden, largest, paint, resource, Story } from "./story.mjs";

const IMAGE = "http://site.test/hero.jpg";
const image = (startTime, more = {}) => largest(startTime, { url: IMAGE, loadTime: startTime - 10, ...more });
const painted = (name, page) => new Story(name, page).at(230).deliver(paint(220));
const finish = (story) => story.wait(200).step("load").wait(20).idle().hide();

function candidates() {
  return [
    finish(painted("one candidate").deliver(largest(260))),
    finish(painted("the last of three batches").at(300).deliver(largest(260)).wait(100).deliver(largest(380)).wait(100).deliver(largest(490))),
    finish(painted("the last of one batch").at(700).deliver(largest(260), largest(480), largest(690))),
    finish(painted("no candidate")),
    finish(painted("a removed element that had an id").at(300).deliver(largest(260, { element: null, id: "gone" }))),
    finish(painted("a removed element without an id").at(300).deliver(largest(260, { element: null }))),
    finish(painted("a candidate as old as the page").at(300).deliver(largest(0))),
    ...[2500, 2500.1, 4000, 4000.1].map((time) => finish(painted(`painted at ${time} ms`).at(time + 10).deliver(largest(time)))),
  ];
}

function endings() {
  const late = (story) => finish(story.wait(50).deliver(largest(900)));
  return [
    ...["click", "keydown"].map((what) => late(painted(`a ${what} ends it at the next idle moment`).at(300).deliver(largest(260)).at(800).step(what).wait(30).idle())),
    ...["click", "keydown"].map((what) => finish(painted(`a candidate between a ${what} and the idle moment counts`).at(300).deliver(largest(260)).at(800).step(what).wait(30).deliver(largest(810)).wait(30).idle())),
    late(painted("a click by a script ends nothing").at(300).deliver(largest(260)).at(800).step("click", { trusted: false }).wait(30).idle()),
    painted("hidden ends it; what is painted later does not count").at(300).deliver(largest(260)).wait(100).step("load").wait(20).idle().hide()
      .wait(10).deliver(largest(310)).show().wait(100).deliver(largest(2000)).hide(),
    painted("a click before the first candidate").at(240).step("click").wait(5).idle().at(300).deliver(largest(260)).wait(100).step("load").wait(20).idle().hide(),
    painted("a candidate is pending when the page is hidden").at(300).deliver(largest(260)).wait(100).step("load").wait(20).idle()
      .wait(100).step("pend", { entries: [largest(510)] }).step("hide"),
    painted("a candidate from before the page was hidden is delivered after").at(300).wait(100).step("load").wait(20).idle().hide()
      .wait(20).deliver(largest(300)).show().hide(),
    new Story("the last of a batch was painted after hiding, and nothing counts", { start: 900, buffered: [paint(210), largest(260), largest(700), hidden(600)] })
      .at(950).step("load").wait(20).idle().hide(),
    new Story("the first paint after hiding, the candidate before", { start: 900, buffered: [paint(700), largest(500), hidden(600)] })
      .at(950).step("load").wait(20).idle().hide(),
  ];
}

function resources() {
  const before = (name, entries, at = 800, more = {}) => finish(painted(name).at(at).deliver(...entries).wait(5).deliver(image(790, more)));
  const many = (n) => Array.from({ length: n }, (_, i) => resource(`http://site.test/${i}.js`, 300 + i));
  return [
    before("an image and its resource", [resource(IMAGE, 300)]),
    finish(painted("an image whose resource entry comes later").at(800).deliver(image(790)).wait(5).deliver(resource(IMAGE, 300))),
    before("an image without a resource entry", [resource("http://site.test/other.jpg", 300)]),
    before("a resource without Timing-Allow-Origin", [resource(IMAGE, 300, { requestStart: 0, responseStart: 0 })]),
    before("the latest of three requests of one URL", [resource(IMAGE, 200), resource(IMAGE, 400), resource(IMAGE, 600)]),
    before("a request after the paint cannot be the image", [resource(IMAGE, 300), resource(IMAGE, 789)]),
    before("the request started at the very moment of the paint", [resource(IMAGE, 300), resource(IMAGE, 785)]),
    before("a video that goes on loading after its first frame", [resource(IMAGE, 300, { responseEnd: 5000 })]),
    before("a resource that ended before the first byte of the page", [resource(IMAGE, 10, { requestStart: 20, responseEnd: 50 })]),
    before("forty-nine resources after the image's", [resource(IMAGE, 290), ...many(49)]),
    before("fifty resources after the image's", [resource(IMAGE, 290), ...many(50)]),
    before("eighty resources after the image's", [resource(IMAGE, 290), ...many(80)]),
    ...[127, 128, 200].map((n) => before(`${n} resources after the image's`, [resource(IMAGE, 290), ...many(n)])),
    finish(painted("eighty resources between the image and the end").at(700).deliver(resource(IMAGE, 290)).at(800).deliver(image(790)).wait(10).deliver(...many(80))),
    finish(painted("a text has no resource").at(700).deliver(resource("", 290)).at(800).deliver(largest(790, { element: body("H1.title") }))),
    before("a URL with a query, which stays in the page", [resource(IMAGE + "?w=300", 300)], 800, { url: IMAGE + "?w=300" }),
    finish(painted("a second candidate without a resource").at(700).deliver(resource(IMAGE, 290)).at(800).deliver(image(790)).at(1000).deliver(largest(990, { element: body("H1") }))),
  ];
}

export const lcp = () => [...candidates(), ...endings(), ...resources()];
