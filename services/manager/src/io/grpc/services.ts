import { services as described } from '@causeway/proto/gen/causeway/v1/services.js';
import { lenient } from '@causeway/proto/io';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Api, type ServiceName, services } from '../../api/index.ts';
import type { Rule } from '../../call/policy.ts';
import { type Answer, type AnswerStream, type Serving, serverStreaming, unary } from './calls.ts';

/** The services that are served call by call. */
export const servedNames = Object.keys(services) as readonly ServiceName[];

export function definitionOf(name: ServiceName): ServiceDefinition {
  return described[name].definition;
}

/** A service for a gRPC server: each method is answered by the use case of its name, under the rule of its name. */
export function served(
  name: ServiceName,
  api: Api,
  serving: Serving,
): [ServiceDefinition, UntypedServiceImplementation] {
  const definition = definitionOf(name);
  const rules: Readonly<Record<string, Rule<never>>> = services[name].rules;
  const answers = api[name] as unknown as Readonly<Record<string, (...call: unknown[]) => unknown>>;
  const handlers = Object.entries(definition).map(([method, { responseStream }]) => {
    const rule = rules[method] as Rule<object> | undefined;
    const answer = answers[method]?.bind(answers);
    if (rule === undefined || answer === undefined) throw new TypeError(`no use case and rule are named ${method}`);
    const handler = responseStream
      ? serverStreaming(serving, rule, answer as AnswerStream<object, object>)
      : unary(serving, rule, answer as Answer<object, object>);
    return [method, handler] as const;
  });
  return [lenient(definition), Object.fromEntries(handlers)];
}
