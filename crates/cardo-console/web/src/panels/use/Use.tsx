export default function Use() { return null; }
