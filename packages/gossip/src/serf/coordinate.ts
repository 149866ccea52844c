import type { Random } from '../random.ts';
import { type Bytes, concat } from '../wire/bytes.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { MsgpackWriter } from '../wire/msgpack-writer.ts';
import { float, list, struct } from '../wire/struct.ts';

/**
 * Where a node is in the network, so that the distance of two places estimates the round trip between two nodes that never
 * spoke (Vivaldi). All spans are in seconds.
 */
export interface Coordinate {
  readonly vec: readonly number[];
  /** How little the place is trusted: 1.5 at first, towards 0 as estimates come true. */
  readonly error: number;
  /** What is added to distances: the mean error of the last observations. */
  readonly adjustment: number;
  /** The way from the node to the core of the network, which each packet takes. */
  readonly height: number;
}

const dimensions = 8;
const maxError = 1.5;
/** How much one observation may change the error, and the place. */
const errorShare = 0.25;
const placeShare = 0.25;
const minHeight = 10e-6;
/** Nearer than this, two places are one. */
const samePlace = 1e-6;
/** Pulls all places towards the origin, so that they do not drift away together. */
const gravityRho = 150;
const adjustmentWindow = 20;
/** The median of so many round trips to one node counts: one late packet does not. */
const latencyFilter = 3;
/** A longer round trip is a mistake. */
const maxRoundTrip = 10;

/** The version that precedes the coordinate in the payload of an ack. */
const payloadVersion = 1;

const coordinateStruct = struct({ Vec: list(float, 64), Error: float, Adjustment: float, Height: float });

export const origin: Coordinate = {
  vec: new Array<number>(dimensions).fill(0),
  error: maxError,
  adjustment: 0,
  height: minHeight,
};

/** The coordinate as the payload of an ack. */
export function encodeCoordinate(coordinate: Coordinate): Bytes {
  const to = new MsgpackWriter();
  coordinateStruct.write(to, coordinate);
  return concat(Uint8Array.of(payloadVersion), to.done());
}

/** Undefined: the payload has no coordinate that this node can use. */
export function decodeCoordinate(payload: Bytes): Coordinate | undefined {
  if (payload[0] !== payloadVersion) return undefined;
  const from = new MsgpackReader(payload, 1);
  const coordinate = coordinateStruct.read(from);
  return !from.failed && isValid(coordinate) ? coordinate : undefined;
}

function isValid({ vec, error, adjustment, height }: Coordinate): boolean {
  return vec.length === dimensions && [...vec, error, adjustment, height].every(Number.isFinite);
}

/** The estimated round trip, in seconds. */
export function distance(a: Coordinate, b: Coordinate): number {
  const raw = rawDistance(a, b);
  const adjusted = raw + a.adjustment + b.adjustment;
  return adjusted > 0 ? adjusted : raw;
}

function rawDistance(a: Coordinate, b: Coordinate): number {
  return magnitude(difference(a.vec, b.vec)) + a.height + b.height;
}

/** The place after an observation: a round trip of `seconds` to a node at `other`. */
export function pulled(me: Coordinate, other: Coordinate, seconds: number, random: Random): Coordinate {
  const estimated = distance(me, other);
  const observed = Math.max(seconds, samePlace);
  const wrongness = Math.abs(estimated - observed) / observed;
  // A place that is trusted moves others, and is not moved by places that are not.
  const weight = me.error / Math.max(me.error + other.error, samePlace);
  const share = errorShare * weight;
  const error = Math.min(share * wrongness + me.error * (1 - share), maxError);
  return moved({ ...me, error }, placeShare * weight * (observed - estimated), other, random);
}

/** The place after the pull of the origin. */
export function settled(me: Coordinate, random: Random): Coordinate {
  return moved(me, -((distance(origin, me) / gravityRho) ** 2), origin, random);
}

/** The place, moved away from the other by so much; negative: towards it. */
function moved(me: Coordinate, force: number, other: Coordinate, random: Random): Coordinate {
  const away = difference(me.vec, other.vec);
  const length = magnitude(away);
  const isApart = length > samePlace;
  const unit = isApart ? away.map((each) => each / length) : direction(random);
  const vec = me.vec.map((each, i) => each + force * (unit[i] ?? 0));
  const height = isApart ? Math.max(me.height + (force * (me.height + other.height)) / length, minHeight) : me.height;
  return { ...me, vec, height };
}

/** Two nodes in one place move apart in a random direction. */
function direction(random: Random): readonly number[] {
  const any = Array.from({ length: dimensions }, () => random.float() - 0.5);
  const length = magnitude(any);
  return length > samePlace ? any.map((each) => each / length) : any.map((_, i) => (i === 0 ? 1 : 0));
}

function difference(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((each, i) => each - (b[i] ?? 0));
}

function magnitude(vec: readonly number[]): number {
  return Math.sqrt(vec.reduce((sum, each) => sum + each * each, 0));
}

/** The place of this node, from the round trips that it measures, and the last known places of others. */
export class Locator {
  coordinate = origin;
  readonly others = new Map<string, Coordinate>();
  readonly #random: Random;
  readonly #roundTrips = new Map<string, readonly number[]>();
  #errors: readonly number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** `seconds`: the round trip to the node. */
  observe(node: string, other: Coordinate, seconds: number): void {
    if (!(seconds >= 0 && seconds <= maxRoundTrip)) return;
    const samples = [...(this.#roundTrips.get(node) ?? []), seconds].slice(-latencyFilter);
    this.#roundTrips.set(node, samples);
    this.others.set(node, other);
    const next = pulled(this.coordinate, other, median(samples), this.#random);
    this.#errors = [...this.#errors, median(samples) - rawDistance(next, other)].slice(-adjustmentWindow);
    const adjustment = this.#errors.reduce((sum, each) => sum + each, 0) / (2 * adjustmentWindow);
    const place = settled({ ...next, adjustment }, this.#random);
    this.coordinate = isValid(place) ? place : origin;
  }

  forget(node: string): void {
    this.#roundTrips.delete(node);
    this.others.delete(node);
  }
}

function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
