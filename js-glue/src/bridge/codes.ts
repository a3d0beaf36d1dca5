/** Strings of the browser that travel as numbers of the schema's enums. */
import { DeliveryType, InitiatorType, NextHopProtocol, Transport } from "../abi";

const INITIATOR_TYPES: Record<string, number> = {
  fetch: InitiatorType.FETCH,
  xmlhttprequest: InitiatorType.XMLHTTPREQUEST,
  script: InitiatorType.SCRIPT,
  link: InitiatorType.LINK,
  css: InitiatorType.CSS,
  img: InitiatorType.IMG,
  image: InitiatorType.IMAGE,
  iframe: InitiatorType.IFRAME,
  beacon: InitiatorType.BEACON,
  video: InitiatorType.VIDEO,
  audio: InitiatorType.AUDIO,
  track: InitiatorType.TRACK,
  embed: InitiatorType.EMBED,
  object: InitiatorType.OBJECT,
  "early-hints": InitiatorType.EARLY_HINT,
  "early-hint": InitiatorType.EARLY_HINT,
  navigation: InitiatorType.NAVIGATION,
  input: InitiatorType.INPUT,
};
const PROTOCOLS: Record<string, number> = {
  "": NextHopProtocol.UNKNOWN,
  "http/1.0": NextHopProtocol.HTTP_1_0,
  "http/1.1": NextHopProtocol.HTTP_1_1,
  h2: NextHopProtocol.H2,
  h3: NextHopProtocol.H3,
  h2c: NextHopProtocol.H2C,
};
const DELIVERY_TYPES: Record<string, number> = {
  "": DeliveryType.NETWORK,
  cache: DeliveryType.CACHE,
  "navigational-prefetch": DeliveryType.NAVIGATIONAL_PREFETCH,
};
const TRANSPORTS = {
  shared: Transport.SHARED_RING,
  transfer: Transport.TRANSFER,
  main: Transport.MAIN_THREAD,
};

export type TransportName = keyof typeof TRANSPORTS;

export function initiatorCode(text: string): number {
  return INITIATOR_TYPES[text] ?? InitiatorType.OTHER;
}

export function protocolCode(text: string | undefined): number {
  return PROTOCOLS[text ?? ""] ?? NextHopProtocol.OTHER;
}

export function deliveryCode(text: string | undefined): number {
  return DELIVERY_TYPES[text ?? ""] ?? DeliveryType.OTHER;
}

export function transportCode(name: TransportName): number {
  return TRANSPORTS[name];
}
