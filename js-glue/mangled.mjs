// Properties of ours that get short names, the same in every file, though they do not start with an underscore: they cross
// between files. None is a name of the browser's that we use, an option, a statistic, a field of a record, or of a message
// to the worker, which may come from another request. Where another version's file is refused (hand_over.ts), names stay.
export const MANGLED = `
  advance ask askedMs basis beacon beaconUrl begin block bodies choose client consumesPreload context copy core
  countRetries decide disarm drain drains drop encodeStrings endedAt engine exit failed fits forced forget give got
  hold inFlight injected isAsked isCut isDone isEmpty isFull isGone isGranted isLoaded isPreloaded isRage
  isStopped isTag items joined keep latest leave lists look lose mayInject mono monoMs nowMs onDisable onPush openAge options
  origins own pack packNow page part plan putBack queue refused refuses ringAddress rollback run sdkWorker seal sealed
  sealedChanged see settle sheds sink sleep snapshot spentMs stay stops strings swallow take takeAt takeDown touch unjoined
  urls useScript verdict viewStart wake wall wallMs words wrap
`.trim().split(/\s+/);
