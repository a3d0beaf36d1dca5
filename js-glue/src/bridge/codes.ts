/** Strings of the browser that travel as numbers of the schema's enums: the lists are in the order of the numbers. */
import { DeliveryType, InitiatorType, NextHopProtocol, Transport } from "../abi";
import type { TransportChoice } from "../types";

type Codes = Record<string, number>;

function codes(from: number, names: string): Codes {
  return Object.fromEntries(names.split(" ").map((name, at) => [name, from + at]));
}

const INITIATOR_TYPES = codes(
  InitiatorType.FETCH,
  "fetch xmlhttprequest script link css img image iframe beacon video audio track embed object early-hints navigation input",
);
INITIATOR_TYPES["early-hint"] = InitiatorType.EARLY_HINT;
const PROTOCOLS = codes(NextHopProtocol.HTTP_1_0, "http/1.0 http/1.1 h2 h3 h2c");
const DELIVERY_TYPES = codes(DeliveryType.CACHE, "cache navigational-prefetch");
const TRANSPORTS = codes(Transport.SHARED_RING, "shared transfer main");

export type TransportName = TransportChoice;

export function initiatorCode(text: string): number {
  return INITIATOR_TYPES[text] ?? InitiatorType.OTHER;
}

export function protocolCode(text: string | undefined): number {
  return text ? (PROTOCOLS[text] ?? NextHopProtocol.OTHER) : NextHopProtocol.UNKNOWN;
}

export function deliveryCode(text: string | undefined): number {
  return text ? (DELIVERY_TYPES[text] ?? DeliveryType.OTHER) : DeliveryType.NETWORK;
}

export function transportCode(name: TransportName): number {
  // Whoever runs the core there, its input is the raw inbox.
  return TRANSPORTS[name] ?? Transport.RAW_INBOX;
}
