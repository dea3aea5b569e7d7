import { useIndex } from "../data/twin.ts";

/** Whose data these are, where the server says so. */
export function Sources() {
  const { data } = useIndex();
  if (!data?.notice) return null;
  return (
    <details className="sources">
      <summary>{data.notice.split(/[,.]/, 1)[0]} ©</summary>
      <p>{data.notice}</p>
    </details>
  );
}
