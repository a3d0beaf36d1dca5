/**
 * The core: the module's exports and every view of its linear memory. Nothing else in the SDK knows an address. The
 * memory is shared and of fixed size, so views never go stale; whether it may be posted to a worker is another matter.
 */
import { CoreExport, CoreStats, CoreStatus, Inbox, Memory } from "../abi";

interface CoreExports {
  _initialize?(): void;
  [CoreExport.ABI_VERSION](): number;
  [CoreExport.START](): void;
  [CoreExport.WORDS](): number;
  [CoreExport.STRINGS](): number;
  [CoreExport.RING](): number;
  [CoreExport.STATS_AREA](): number;
  [CoreExport.TAKE](mono: number, wall: number, words: number, stringBytes: number): number;
  [CoreExport.SEAL](mono: number, wall: number, final: number): number;
  [CoreExport.OPEN_AGE](mono: number, wall: number): number;
  [CoreExport.SNAPSHOT_AREA](): number;
  [CoreExport.SNAPSHOT](mono: number, wall: number): number;
  [CoreExport.PACK](size: number): number;
  [CoreExport.STATS](): void;
  [CoreExport.STOP](): void;
}

/** What the bridge needs of it. */
export interface Core {
  readonly words: Float64Array;
  readonly strings: Uint8Array;
  /** It is not here, and whoever sends to it is behind. */
  isFull?(): boolean;
  take(words: number, stringBytes: number): CoreStatus;
  seal(final: boolean): CoreStatus;
  openAge(): number;
  /** No more segments will come: the worker may end. */
  stop(): void;
  /** Read it before the next call into the core. */
  stats(): Float64Array;
}

/** The one in this memory. */
export interface OwnCore extends Core {
  readonly memory: WebAssembly.Memory;
  readonly ringAddress: number;
  /** The view so far, as a beacon; undefined when no vital has changed since the last one. */
  snapshot(): Uint8Array<ArrayBuffer> | undefined;
  /** Smaller, if it can be; only between two batches. */
  pack(beacon: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
}

/** performance.now() and Date.now(): of the page, also where the core is in a worker. */
export interface Clock {
  mono(): number;
  wall(): number;
}

export interface Compiled {
  readonly instance: WebAssembly.Instance;
  readonly memory: WebAssembly.Memory;
}

const PAGE_CLOCK: Clock = { mono: () => performance.now(), wall: Date.now };

export function coreOf({ instance, memory }: Compiled, { mono, wall } = PAGE_CLOCK): OwnCore {
  const core = instance.exports as unknown as CoreExports;
  core._initialize?.();
  const version = core[CoreExport.ABI_VERSION]();
  if (version !== Inbox.ABI_VERSION) throw new Error(`core speaks ABI ${version}, not ${Inbox.ABI_VERSION}`);
  core[CoreExport.START]();
  const { buffer } = memory;
  const strings = new Uint8Array(buffer, core[CoreExport.STRINGS](), Inbox.STRING_BYTES);
  const stats = new Float64Array(buffer, core[CoreExport.STATS_AREA](), CoreStats.WORDS);
  return {
    memory,
    words: new Float64Array(buffer, core[CoreExport.WORDS](), Inbox.WORDS),
    strings,
    ringAddress: core[CoreExport.RING](),
    take: (words, stringBytes) => core[CoreExport.TAKE](mono(), wall(), words, stringBytes),
    seal: (final) => core[CoreExport.SEAL](mono(), wall(), +final),
    openAge: () => core[CoreExport.OPEN_AGE](mono(), wall()),
    stop: core[CoreExport.STOP],
    pack(beacon) {
      strings.set(beacon, Inbox.PACK_FROM);
      const size = core[CoreExport.PACK](beacon.length);
      return size ? new Uint8Array(strings.subarray(Inbox.PACK_TO, Inbox.PACK_TO + size)) : beacon;
    },
    snapshot() {
      const size = core[CoreExport.SNAPSHOT](mono(), wall());
      if (size) return new Uint8Array(new Uint8Array(buffer, core[CoreExport.SNAPSHOT_AREA](), size));
    },
    stats() {
      core[CoreExport.STATS]();
      return stats;
    },
  };
}

function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Memory.PAGES, maximum: Memory.PAGES, shared: true });
}

export async function compileCore(bytes: BufferSource): Promise<Compiled> {
  const memory = sharedMemory();
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return { instance, memory };
}

/** On the spot, for a page that is being left: it blocks, and nobody will notice. */
export function compileCoreNow(bytes: BufferSource): Compiled {
  const memory = sharedMemory();
  return { instance: new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }), memory };
}

export async function instantiateCore(bytes: BufferSource): Promise<OwnCore> {
  return coreOf(await compileCore(bytes));
}
