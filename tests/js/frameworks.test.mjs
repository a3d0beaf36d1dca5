// The helpers for routers, against fakes of the routers' shapes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/bundle.mjs";

const react = await load("frameworks/react_router");
const vue = await load("frameworks/vue_router");
const next = await load("frameworks/next");

const matches = (...paths) => paths.map((path, id) => ({ id: String(id), pathname: "/", params: {}, route: { id: String(id), path } }));

test("React Router: paths of nested, pathless, absolute and splat routes make one template", () => {
  const cases = [
    [["/"], "/"], [[undefined, "users/:id"], "/users/:id"], [["/", "users", ":id", undefined], "/users/:id"], [["/app", "/app/x/*"], "/app/x/*"],
    [["/app/", "files/*"], "/app/files/*"], [[], "/"], [["shop", "p/:slug?"], "/shop/p/:slug?"],
  ];
  for (const [paths, template] of cases) assert.equal(react.routeOfMatches(matches(...paths)), template);
});

test("React Router: the present view and each later one is named, until it is stopped", () => {
  const named = [];
  const listeners = new Set();
  const router = { state: { matches: matches("/", "cart") }, subscribe: (one) => (listeners.add(one), () => listeners.delete(one)) };
  const stop = react.watchRouter(router, (template) => named.push(template));
  for (const listener of listeners) for (const state of [{ matches: matches("/", "p/:id") }, { matches: [] }, {}]) listener(state);
  assert.deepEqual(named, ["/cart", "/p/:id"]);
  stop();
  assert.equal(listeners.size, 0);
});

const location = (...paths) => ({ path: "/x", matched: paths.map((path) => ({ path })) });

test("Vue Router: the last record has the template, without what a parameter must match", () => {
  assert.equal(vue.routeOfLocation(location("/users", "/users/:id(\\d+)/posts/:post?")), "/users/:id/posts/:post?");
  assert.equal(vue.routeOfLocation(location("/:all(.*)*")), "/:all*");
  assert.equal(vue.routeOfLocation(location("/:v((?:a|b)\\(c\\))/x")), "/:v/x");
  assert.equal(vue.routeOfLocation(location()), "");
});

test("Vue Router: navigations that failed name nothing", () => {
  const named = [];
  let guard;
  const router = { currentRoute: { value: location("/") }, afterEach: (one) => ((guard = one), () => (guard = undefined)) };
  const stop = vue.watchRouter(router, (template) => named.push(template));
  guard(location("/a/:id"), location("/"));
  guard(location("/b"), location("/"), new Error("aborted"));
  guard(location(), location("/"));
  guard({}, {});
  assert.deepEqual(named, ["/", "/a/:id"]);
  stop();
  assert.equal(guard, undefined);
});

test("Next pages: the template is the router's pathname, asked again when a route change is complete", () => {
  const named = [];
  const handlers = new Set();
  const router = {
    ready: false,
    path: "/posts/[id]",
    get pathname() {
      if (!this.ready) throw new Error("No router instance found.");
      return this.path;
    },
    events: { on: (type, one) => type === "routeChangeComplete" && handlers.add(one), off: (_type, one) => handlers.delete(one) },
  };
  const stop = next.watchPages(router, (template) => named.push(template));
  router.ready = true;
  for (const handler of handlers) handler("/posts/7");
  assert.deepEqual(named, ["/posts/[id]"]);
  stop();
  assert.equal(handlers.size, 0);
});

test("Next app: parameters are found in the path again", () => {
  const cases = [
    ["/posts/7", { id: "7" }, "/posts/[id]"], ["/docs/a/b", { slug: ["a", "b"] }, "/docs/[...slug]"], ["/de/p/gr%C3%BCn", { lang: "de", color: "grün" }, "/[lang]/p/[color]"],
    ["/p/gr%C3%BCn", { color: "gr%C3%BCn" }, "/p/[color]"], ["/about", {}, "/about"], [null, null, "/"], ["/x", { y: undefined, z: [] }, "/x"], ["/a/a", { one: "a", two: "a" }, "/[one]/[two]"], ["/%E0/x", { id: "x" }, "/%E0/[id]"],
  ];
  for (const [path, params, template] of cases) assert.equal(next.routeOfPath(path, params), template);
});
