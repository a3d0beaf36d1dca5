/**
 * The core: the module's exports and every view of its linear memory. Nothing else in the SDK knows an address. The
 * memory is shared and of fixed size, so views never go stale; whether it may be posted to a worker is another matter.
 */
import { CoreStats, CoreStatus, Inbox, Memory } from "../abi";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface CoreExports {
  _initialize?(): void;
  vitrace_abi_version(): number;
  vitrace_start(): void;
  vitrace_words(): number;
  vitrace_strings(): number;
  vitrace_ring(): number;
  vitrace_stats_area(): number;
  vitrace_take(mono: number, wall: number, words: number, stringBytes: number): number;
  vitrace_seal(mono: number, wall: number, final: number): number;
  vitrace_open_age(mono: number, wall: number): number;
  vitrace_stats(): void;
  vitrace_stop(): void;
}

export class Core {
  readonly words: Float64Array;
  readonly strings: Uint8Array;
  readonly ringAddress: number;
  private readonly _stats: Float64Array;

  constructor(
    readonly memory: WebAssembly.Memory,
    private readonly _exports: CoreExports,
  ) {
    const version = _exports.vitrace_abi_version();
    if (version !== Inbox.ABI_VERSION) throw new Error(`core speaks ABI ${version}, not ${Inbox.ABI_VERSION}`);
    _exports.vitrace_start();
    const { buffer } = memory;
    this.words = new Float64Array(buffer, _exports.vitrace_words(), Inbox.WORDS);
    this.strings = new Uint8Array(buffer, _exports.vitrace_strings(), Inbox.STRING_BYTES);
    this.ringAddress = _exports.vitrace_ring();
    this._stats = new Float64Array(buffer, _exports.vitrace_stats_area(), CoreStats.WORDS);
  }

  take(words: number, stringBytes: number): CoreStatus {
    return this._exports.vitrace_take(performance.now(), Date.now(), words, stringBytes);
  }

  seal(final: boolean): CoreStatus {
    return this._exports.vitrace_seal(performance.now(), Date.now(), final ? 1 : 0);
  }

  openAge(): number {
    return this._exports.vitrace_open_age(performance.now(), Date.now());
  }

  /** No more segments will come: the worker may end. */
  stop(): void {
    this._exports.vitrace_stop();
  }

  /** Read it before the next call into the core. */
  stats(): Float64Array {
    this._exports.vitrace_stats();
    return this._stats;
  }
}

export async function instantiateCore(bytes: BufferSource): Promise<Core> {
  const memory = new WebAssembly.Memory({ initial: Memory.PAGES, maximum: Memory.PAGES, shared: true });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const exports = instance.exports as unknown as CoreExports;
  exports._initialize?.();
  return new Core(memory, exports);
}

/** Not streaming: at this size it is no faster, and it would need the right media type from every server. */
export async function loadCore(fetch: Fetch, url: string): Promise<Core> {
  const response = await fetch(url, { credentials: "omit", mode: "cors", priority: "low" } as RequestInit);
  if (!response.ok) throw new Error(`${response.status} for the core`);
  return instantiateCore(await response.arrayBuffer());
}
