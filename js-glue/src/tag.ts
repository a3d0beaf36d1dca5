/**
 * The script tag, and all that a page loads before its load event. Options are the tag's data attributes; the collector
 * is where the script came from:
 *   <script async crossorigin src="https://rum.example/v1/vitrace.js" data-app="shop"></script>
 */
import type { PartScript } from "./hand_over";
import { urlsOf } from "./lib/urls";
import type { Client, Options } from "./types";
import { watch } from "./watch";

declare const VITRACE_BRIDGE_SRI: string;
declare const VITRACE_TRACE_SRI: string;
declare const VITRACE_WASM_SRI: string;

type Call = [name: keyof Client, ...given: unknown[]];
/** Before this file has come, the page's own stub: `{ q: [] }`. Afterwards `q.push` calls at once, so a page need not know. */
type Tag = Partial<Client> & { q?: { push(call: Call): void; forEach?(use: (call: Call) => void): void } };

/**
 * Each data attribute as the option of its name, and a text: the first half needs no more than texts, and the second one makes
 * of the others what they are (tag_options.ts). The browser's `dataset` takes half a millisecond to set up.
 */
function optionsOf(tag: HTMLScriptElement): Options {
  // What the browser has resolved begins with the origin.
  const texts: Record<string, unknown> = { app: "", endpoint: tag.src.split("/", 3).join("/") };
  for (const name of tag.getAttributeNames()) {
    // Of attributes that are no data, names are left that no option has.
    texts[name.slice(5).replace(/-./g, (dash) => dash[1].toUpperCase())] = tag.getAttribute(name);
  }
  texts.trace = (texts.trace as string | undefined)?.match(/[^\s,]+/g);
  return texts as unknown as Options;
}

function start(): void {
  const page = window as { vitrace?: Tag };
  const tag = document.currentScript as HTMLScriptElement;
  // A second tag on the page changes nothing.
  if (page.vitrace?.stats || !tag?.src) return;
  const options = optionsOf(tag);
  const urls = urlsOf(options, tag.src.replace(/[^/]*$/, ""));
  // Who pins this file pins what it loads. Others get whatever is deployed together, also in the minutes of an update.
  const pin = (integrity: string) => (tag.integrity ? integrity : "");
  const load = (name: string, integrity: string, fetchPriority?: "high") => {
    const script: PartScript = document.createElement("script");
    script.vitrace = self;
    script.crossOrigin = "anonymous";
    script.integrity = pin(integrity);
    script.nonce = tag.nonce;
    // What a script adds has a low one.
    if (fetchPriority) script.fetchPriority = fetchPriority;
    script.onerror = () => name === "bridge" && self.guard.disable("cannot load the bridge");
    self.useScript(`${urls.part}${name}.js`, (allowed) => (script.src = allowed));
    document.head.append(script);
    return script;
  };
  const self = watch(options, urls, () => load("bridge", VITRACE_BRIDGE_SRI), pin(VITRACE_WASM_SRI));
  self.load = load;
  // Without the tracing of calls there is still everything else.
  if (options.trace?.length) self.guard.run(() => void load("trace", VITRACE_TRACE_SRI, "high"));
  self.isTag = true;
  const push = self.guard.wrap(([name, ...given]: Call) => (self.client[name] as (...given: unknown[]) => void)(...given));
  page.vitrace?.q?.forEach?.(push);
  page.vitrace = self.client;
  page.vitrace.q = { push };
}

// What it may throw, the build catches: a bundle for the page is one try block.
start();
