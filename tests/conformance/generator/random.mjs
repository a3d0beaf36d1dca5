/**
 * Random streams from a seed. `calm` pages are idle after every batch, and bring one shift at a time; `busy` ones
 * deliver several batches between idle moments and many entries in one, which is where implementations differ.
 */
import { body, event, largest, paint, resource, shift, Story } from "./story.mjs";

/** mulberry32 */
export function randomOf(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { chance: (p) => next() < p, whole: (n) => Math.floor(next() * n), tenth: (max) => Math.round(next() * max * 10) / 10, pick: (list) => list[Math.floor(next() * list.length)] };
}

const IMAGES = ["a", "b", "c"].map((name) => `http://site.test/${name}.jpg`);
const element = (r) => body(`DIV.e${r.whole(40)}`);

function pageOf(r) {
  const kind = r.whole(12);
  const navigation = {
    type: r.pick(["navigate", "reload", "back_forward"]), workerStart: r.chance(0.2) ? r.tenth(20) : 0, fetchStart: r.tenth(20),
    domainLookupStart: 20 + r.tenth(20), connectStart: 40 + r.tenth(20), connectEnd: 60 + r.tenth(40), responseStart: r.chance(0.06) ? r.pick([0, 1e7, -3]) : 100 + r.tenth(200),
  };
  return {
    start: 300 + r.tenth(500), navigation, wasDiscarded: r.chance(0.1), ...(kind === 0 && { state: "hidden" }), ...(kind === 1 && { state: "hidden", prerendering: true }),
    ...(r.chance(0.1) && { unsupported: ["interactionCount"] }),
  };
}

class RandomStory extends Story {
  constructor(name, r, isBusy) {
    super(name, pageOf(r));
    Object.assign(this, { r, isBusy, id: 4000, interactions: 0, isLoaded: false, isPainted: false });
  }

  tick() {
    return this.wait(this.r.tenth(this.r.chance(0.1) ? 3000 : 120));
  }

  largestPaints() {
    const { r } = this;
    const url = () => (r.chance(0.3) ? undefined : r.pick(IMAGES));
    this.deliver(...Array.from({ length: 1 + r.whole(3) }, () => largest(this.now - r.tenth(60), { url: url(), element: r.chance(0.2) ? null : element(r) })));
  }

  resources() {
    const { r } = this;
    const n = r.chance(0.1) && this.isBusy ? 60 : 1 + r.whole(3);
    this.deliver(...Array.from({ length: n }, (_, i) => {
      const startTime = this.now - r.tenth(300);
      const name = n > 10 ? `http://site.test/${i}.js` : r.pick([...IMAGES, "http://site.test/x.css"]);
      return resource(name, startTime, { requestStart: r.chance(0.3) ? 0 : startTime + r.tenth(40), responseEnd: startTime + r.tenth(400) });
    }));
  }

  shifts() {
    const { r } = this;
    const n = this.isBusy ? 1 + r.whole(4) : 1;
    const times = Array.from({ length: n }, () => this.now - r.tenth(this.isBusy ? 2500 : 1)).sort((a, b) => a - b);
    this.deliver(...times.map((time) => shift(Math.max(time, 0), r.pick([0, 0.01, 0.1, 0.05, 0.2, r.tenth(100) / 1000]), { hadRecentInput: r.chance(0.15), sources: [element(r)] })));
  }

  events() {
    const { r } = this;
    this.interactions += r.whole(5) + (r.chance(0.1) ? r.whole(60) : 0);
    this.count(this.interactions);
    this.deliver(...Array.from({ length: 1 + r.whole(6) }, () => this.oneEvent()));
    if (!this.isBusy || r.chance(0.5)) this.wait(1).idle();
  }

  oneEvent() {
    const { r } = this;
    if (r.chance(0.4)) this.id += 7;
    const startTime = this.now + r.tenth(60);
    const processingStart = startTime + r.tenth(30);
    const id = r.chance(0.25) ? 0 : this.id - (r.chance(0.2) ? 7 * r.whole(4) : 0);
    return event(startTime, 8 * (2 + r.whole(r.chance(0.2) ? 60 : 12)), id, {
      entryType: r.chance(0.05) ? "first-input" : "event", name: r.pick(["pointerdown", "pointerup", "click", "keydown", "keyup"]),
      processingStart, processingEnd: processingStart + r.tenth(120), target: r.chance(0.3) ? null : element(r),
    });
  }

  anything() {
    const { r } = this;
    const kind = r.whole(12);
    if (kind === 0 && !this.isLoaded) return this.load();
    if (kind === 1 && !this.isPainted) {
      this.isPainted = true;
      return this.deliver(paint(this.now - r.tenth(50)));
    }
    if (kind <= 3) return this.largestPaints();
    if (kind === 4) return this.resources();
    if (kind <= 6) return this.shifts();
    if (kind <= 10) return this.events();
    return r.chance(0.15) ? this.step("click", { trusted: r.chance(0.8) }) : this.idle();
  }

  load() {
    this.isLoaded = true;
    this.step("load").wait(1).idle();
  }
}

function storyOf(name, seed, isBusy) {
  const r = randomOf(seed);
  const story = new RandomStory(name, r, isBusy);
  if (story.page.prerendering) story.wait(r.tenth(800)).step("activate", { state: r.chance(0.2) ? "hidden" : "visible", activationStart: story.now });
  const views = 1 + r.whole(3);
  for (let view = 1; view <= views; view++) {
    const steps = 5 + r.whole(view === 1 ? 25 : 12);
    for (let i = 0; i < steps; i++) {
      story.tick();
      story.anything();
    }
    if (!story.isLoaded) story.load();
    story.wait(1).idle();
    if (view < views) story.restore(100 + r.tenth(4000));
  }
  return story.hide();
}

const many = (isBusy, what) => (count, first) => Array.from({ length: count }, (_, i) => storyOf(`${what} page ${first + i}`, first + i, isBusy));
export const calm = many(false, "calm");
export const busy = many(true, "busy");
