"""What our schemas use of JSON Schema 2020-12, and nothing else."""

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def check(value, schema, place="it"):
    """Fail where a value is not what its schema says."""
    known = {"$schema", "title", "description", "type", "required", "properties", "additionalProperties"}
    assert set(schema) <= known | {"items", "const", "enum"}, place
    if "const" in schema:
        assert value == schema["const"], place
    if "enum" in schema:
        assert value in schema["enum"], place
    if "type" in schema:
        named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, TYPES[name]) for name in named), place
        assert not isinstance(value, bool) or "boolean" in named, place
    for name in schema.get("required", ()) if isinstance(value, dict) else ():
        assert name in value, f"{place}.{name}"
    for name, inner in value.items() if isinstance(value, dict) else ():
        rest = schema.get("additionalProperties", {})
        assert rest is not False or name in schema["properties"], f"{place}.{name}"
        check(inner, schema.get("properties", {}).get(name, rest), f"{place}.{name}")
    for i, inner in enumerate(value if isinstance(value, list) else ()):
        check(inner, schema.get("items", {}), f"{place}[{i}]")
