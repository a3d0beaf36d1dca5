/**
 * Beacons that could not be sent, in IndexedDB until they can: when the browser says that it is online again, or on the
 * next page of the origin that has this option. Several pages may send the same one: it is stored once.
 */
import { LossReason } from "../abi";
import type { Watch } from "../watch";
import { deliver, isOffline, type Host } from "../worker/transport";

const NAME = "vitrace";
const STORE = "beacons";
/** One beacon has at most 16,384 bytes: 1 MiB together. The oldest goes first, and is counted. */
const BEACONS_MAX = 64;

interface Kept {
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

export type StartOffline = (watch: Watch, host: Host) => void;

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
  return answerOf(request);
}

export class Offline {
  private _isSending = false;
  private _held: IDBDatabase | undefined;

  constructor(
    private readonly _host: Host,
    private readonly _url: string,
    private readonly _lose: (count: number) => void,
  ) {}

  async keep(body: Uint8Array<ArrayBuffer>): Promise<void> {
    const kept: Kept = { url: this._url, body };
    await this._in("readwrite", (store) => {
      const added = answerOf(store.add(kept));
      // Now: a page that is being left will not hear that it was added.
      store.transaction.commit?.();
      return added;
    });
    const over = await this._in("readwrite", async (store) => {
      const keys = await answerOf(store.getAllKeys());
      const oldest = keys.slice(0, Math.max(keys.length - BEACONS_MAX, 0));
      for (const key of oldest) store.delete(key);
      return oldest.length;
    });
    if (over) this._lose(over);
  }

  /** A page that is left cannot wait for a connection: while there is no network, one is there. */
  async hold(isHeld: boolean): Promise<void> {
    this._held?.close();
    this._held = undefined;
    if (isHeld) this._held = await open();
  }

  /** One after the other, until one does not get through. */
  async send(): Promise<void> {
    if (this._isSending) return;
    this._isSending = true;
    try {
      for (const key of await this._in("readonly", (store) => answerOf(store.getAllKeys()))) {
        const kept = await this._in("readonly", (store) => answerOf<Kept | undefined>(store.get(key)));
        if (kept?.url !== this._url) continue;
        const { sent, refused } = await deliver({ ...this._host, keep: undefined }, this._url, kept.body);
        if (!sent && !refused) return;
        if (refused) this._lose(1);
        await this._in("readwrite", (store) => answerOf(store.delete(key)));
      }
    } finally {
      this._isSending = false;
    }
  }

  /** Else a connection each time: a page that holds one is in the way of other versions of the base. */
  private async _in<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const held = this._held;
    const base = held ?? (await open());
    try {
      const transaction = base.transaction(STORE, mode);
      // A full disk may show only when the transaction ends.
      const end = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      const [result] = await Promise.all([use(transaction.objectStore(STORE)), end]);
      return result;
    } finally {
      if (base !== held) base.close();
    }
  }
}

export const startOffline: StartOffline = ({ guard, context, queue, urls }, host) => {
  const offline = new Offline(host, urls.beacon, (count) => queue.lose(LossReason.OFFLINE_FULL, count));
  const send = guard.wrap(() => void offline.send().catch((error) => guard.swallow(error)));
  host.keep = (body) => offline.keep(body);
  const hold = guard.wrap(() => void offline.hold(isOffline()).catch((error) => guard.swallow(error)));
  const change = () => {
    hold();
    if (!isOffline()) send();
  };
  for (const type of ["online", "offline"]) {
    addEventListener(type, change);
    context.stops.push(() => removeEventListener(type, change));
  }
  change();
};
