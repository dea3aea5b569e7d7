import { useTypes } from "../../data/twin.ts";
import { Failure, Skeleton } from "../../ui/parts.tsx";

export default function Layers() {
  const { data, error, refetch } = useTypes();
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  return <ul>{data.map((type) => <li key={type.name}>{type.name}</li>)}</ul>;
}
