"""YAML as people and buildpacks write it by hand: a mapping, its scalars as they are written."""
import yaml


class NotYaml(ValueError):
    """str() says what is wrong, .line where, when that is known."""

    def __init__(self, problem, line=None):
        super().__init__(problem)
        self.line = line


def parse_mapping(text):
    """The mapping, {} of an empty text, None of what is YAML and no mapping."""
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        raise NotYaml(error.problem, error.problem_mark.line + 1 if error.problem_mark else None) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise NotYaml(str(error).splitlines()[0]) from None
    if found in (None, ""):
        return {}
    return found if isinstance(found, dict) else None
