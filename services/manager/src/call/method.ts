/** "/causeway.v1.NetworkService/CreateNetwork" as people read it in events: "NetworkService/CreateNetwork". */
export function shortMethod(method: string): string {
  return method.replace(/^.*\.(?=\w+\/)/, '');
}
