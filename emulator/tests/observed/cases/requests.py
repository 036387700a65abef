"""Requests that need no state, and who may ask."""

from __future__ import annotations

from world import World

from .common import Pair, Ready, case


@case(
    "packet_no_directory_id",
    "packet_empty_body",
    "packet_from_url_box",
    "probe_model_refs",
    "probe_packet_instance_list_empty",
    "packet_video",
    "packet_unknown_parent",
    "compound_new",
    "compound_new_with_box_instance",
    "compound_status_unknown_parent",
    "directory_list",
    "input_batch_new",
    "input_view_unknown_id",
    "labels_name_to_file_id",
    "labels_schema_list",
    "probe_connections",
    "working_dir_view_by_name",
    "working_dir_view_unknown_name",
    "wrong_path_api_v1_walrus_packet_POST",
)
def nothing_special(world: World, pair: Pair) -> Ready:
    return Ready()


@case("auth_viewer_compound_new", "auth_viewer_packet")
def viewer(world: World, pair: Pair) -> Ready:
    return Ready(role="Viewer")


@case("auth_none", "auth_none_python_requests_user_agent")
def nobody(world: World, pair: Pair) -> Ready:
    return Ready(role=None, headers={"User-Agent": "curl/8.5.0"})


@case("auth_bad_secret")
def bad_secret(world: World, pair: Pair) -> Ready:
    return Ready(role="bad")


@case("packet_rate_limited_429")
def throttled(world: World, pair: Pair) -> Ready:
    for _ in range(20):
        world.packet(directory_id=None)
    return Ready()


@case("labels_list")
def labels(world: World, pair: Pair) -> Ready:
    world.new_label("cat")
    (schema,) = world.get("/api/v1/project/{p}/labels-schema").json()
    return Ready(f"/api/project/{{p}}/labels?schema_id={schema['id']}")
