"use strict";
{
  const address = new URL(location.pathname, location.href);
  const socket = new URL(address);
  socket.protocol = socket.protocol.replace("http", "ws");
  const fetcher = GraphiQL.createFetcher({
    url: address.href,
    wsClient: graphqlWs.createClient({ url: socket.href }),
  });
  const question = `# What the twin knows, as a graph. Ctrl-Space proposes names, Ctrl-Enter asks.
# The documentation at the left lists every type that lives in the twin.

{
  entities(first: 5) {
    totalCount
    nodes {
      id
      type
      modifiedAt
    }
  }
}
`;
  // Whoever links here may bring a question; behind the #, it is no request yet.
  const given = new URLSearchParams(location.hash.slice(1)).get("query");
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultQuery: question,
      ...(given ? { query: given } : {}),
      shouldPersistHeaders: false,
    }),
  );
}
