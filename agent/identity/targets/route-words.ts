import type { Route } from "../../../format/identity.ts";

/** The one default route that the `GATEWAY` key of every format can say. */
export function plainDefault(routes: readonly Route[], family: 4 | 6): Route | undefined {
  return routes.find(
    (route) =>
      route.destination === (family === 4 ? "0.0.0.0/0" : "::/0") &&
      route.gateway !== undefined &&
      route.metric === undefined,
  );
}

/** `10.0.0.0/8 via 192.0.2.1 metric 5`, as `ip route add` takes it. */
export function ipRouteWords(route: Route, name?: string): string {
  return [
    route.destination,
    ...(route.gateway === undefined ? [] : ["via", route.gateway]),
    ...(name === undefined ? [] : ["dev", name]),
    ...(route.metric === undefined ? [] : ["metric", route.metric]),
  ].join(" ");
}
