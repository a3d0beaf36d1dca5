// The SDK's own worker, with a network that only writes down what it was given.
import { work } from "../../js-glue/src/worker/worker";
import { digestOf } from "./digest";

const digests = [];
// Packed, no body would be what was sealed; and 20,000 streams are not what is looked at here.
delete self.CompressionStream;
self.fetch = async (_url, { body }) => {
  digests.push(digestOf(body));
  return new Response(null, { status: 204 });
};
const log = new BroadcastChannel("stress");
log.onmessage = ({ data }) => data.ask && log.postMessage({ digests });
work();
