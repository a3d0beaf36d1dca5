/** Returns from the back/forward cache: a new view of the same document. */
import { event, firstInput, hidden, largest, paint, shift, Story } from "./story.mjs";

const loaded = (name, page) => new Story(name, page).at(300).deliver(paint(280), largest(285)).wait(50).step("load").wait(30).idle().wait(300);

export const bfcache = () => [
  loaded("restored, and left again").restore().wait(200).hide(),
  loaded("restored three times").restore().wait(200).restore().wait(300).restore(100).wait(100).hide(),
  loaded("a shift in each view").deliver(shift(650, 0.2)).restore().wait(500).deliver(shift(5200, 0.05)).wait(20).hide(),
  loaded("a window does not reach over the restore").deliver(shift(690, 0.2)).restore(100).wait(10).deliver(shift(800, 0.1)).wait(20).hide(),
  loaded("an interaction in each view").count(1).deliver(event(600, 120, 4007)).wait(10).idle().restore().wait(800).count(2).deliver(event(5700, 80, 4014)).wait(10).idle().hide(),
  loaded("interactions of the old view do not count in the new").count(99).deliver(event(600, 120, 4007)).wait(10).idle().restore().wait(800).count(101)
    .deliver(event(5700, 80, 4014), event(5750, 64, 4021)).wait(10).idle().hide(),
  loaded("fifty interactions after the restore").count(10).deliver(event(600, 120, 4007)).wait(10).idle().restore().wait(800).count(60)
    .deliver(event(5700, 80, 4014), event(5750, 64, 4021)).wait(10).idle().hide(),
  loaded("interactions too short for an entry are an INP of 8 ms").count(1).deliver(firstInput(600, 16, 4007)).wait(10).idle().restore().wait(800).count(3).wait(10).hide(),
  loaded("short interactions that nobody was told of before the restore are not of the new view").count(5).restore().wait(800).hide(),
  loaded("an entry after an INP of 8 ms").restore().wait(800).count(3).wait(10).hide().show().count(4).deliver(event(5900, 96, 4014)).wait(10).idle().hide(),
  loaded("no interaction in the new view is no INP").count(1).deliver(event(600, 120, 4007)).wait(10).idle().restore().wait(100).hide(),
  loaded("an event of the old view comes after the restore").count(1).restore().deliver(event(620, 120, 4007)).wait(10).idle().hide(),
  loaded("a largest paint after the restore does not count").restore().wait(100).deliver(largest(5100)).wait(10).hide(),
  loaded("a click after the restore").restore().wait(100).step("click").wait(10).idle().hide(),
  loaded("hidden and shown again between the restore and the end").restore().wait(100).hide().show().wait(100).deliver(shift(6000, 0.3)).hide(),
  loaded("hidden before the frame after the restore").wait(10).step("pagehide", { persisted: true }).step("hide").wait(900).step("show").step("pageshow", { persisted: true })
    .wait(5).step("hide").wait(700).step("show").wait(30).step("frames").wait(50).hide(),
  loaded("the frame after the restore never comes").wait(10).step("pagehide", { persisted: true }).step("hide").wait(900).step("show").step("pageshow", { persisted: true }).wait(50).hide(),
  loaded("restored without a change of visibility being told").wait(10).step("hide").wait(10).step("pagehide", { persisted: true }).wait(900).step("pageshow", { persisted: true })
    .wait(10).step("show").wait(30).step("frames").wait(50).hide(),
  new Story("no first byte on the load, none after the restore", { navigation: { responseStart: 0 } }).at(300).deliver(paint(280), largest(285)).wait(50).step("load").wait(30).idle().restore().wait(100).hide(),
  new Story("left before load, restored, loaded").at(300).deliver(paint(280), largest(285)).restore().wait(50).step("load").wait(20).idle().hide(),
  new Story("a page without a first paint is restored").at(300).step("load").wait(30).idle().restore().wait(50).deliver(shift(4400, 0.1)).hide(),
  new Story("the load's paint entry is delivered between the restore and its frame").at(300).step("load").wait(30).idle().wait(20).step("pagehide", { persisted: true }).step("hide")
    .wait(900).step("show").step("pageshow", { persisted: true }).wait(5).deliver(paint(280)).wait(25).step("frames").wait(50).hide(),
  new Story("never painted, restored, and left before its frame").at(300).step("load").wait(30).idle().wait(20).step("pagehide", { persisted: true }).step("hide")
    .wait(900).step("show").step("pageshow", { persisted: true }).wait(5).deliver(shift(1310, 0.1)).wait(5).hide(),
  new Story("hidden at load, restored and seen", { state: "hidden", buffered: [hidden(0)] }).at(300).deliver(paint(280), largest(285)).step("load").wait(20).step("show").wait(10).idle().restore().wait(100).hide(),
  new Story("a discarded tab, restored from the cache", { wasDiscarded: true }).at(300).deliver(paint(280), largest(285)).step("load").wait(20).idle().restore().wait(100).hide(),
  new Story("no shifts are supported, and the page is restored", { unsupported: ["layout-shift"] }).at(300).deliver(paint(280), largest(285)).step("load").wait(20).idle().restore().wait(100).hide(),
];
