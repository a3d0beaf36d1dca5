/** vitrace-worker.js: the worker alone, for sites that serve it from their own origin, and for the npm package. */
import { coreIn } from "./core";
import { work } from "./worker";

work(coreIn);
