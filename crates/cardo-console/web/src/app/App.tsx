import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect } from "react";
import { Refusal } from "../data/http.ts";
import { useLanguage } from "./language.ts";
import { Shell } from "./Shell.tsx";

/** What the client did wrong will not go better a second time. */
const mayRetry = (failures: number, error: Error) =>
  failures < 2 && !(error instanceof Refusal && error.status >= 400 && error.status < 500);

const client = new QueryClient({
  defaultOptions: { queries: { retry: mayRetry, staleTime: 5_000, refetchOnWindowFocus: false } },
});

export function App() {
  const language = useLanguage();
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <QueryClientProvider client={client}>
      <Shell />
    </QueryClientProvider>
  );
}
