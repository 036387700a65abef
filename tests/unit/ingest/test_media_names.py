"""Names of media: deterministic, those that the server keeps, the same after a URL is signed anew."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.ingest.check.names import name_of, stored_upload_name
from airflow_provider_diffgram.models import InvalidValueError, Packet
from airflow_provider_diffgram.models.packet import media_type_of
from diffgram_emulator.naming import sanitized

steady = settings(max_examples=60)

AWS4 = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={0}&X-Amz-Date={0}&X-Amz-Expires={0}"
    "&X-Amz-Security-Token={0}&X-Amz-SignedHeaders=host&X-Amz-Signature={0}"
)
GCS4 = AWS4.replace("Amz", "Goog")
SIGNATURES = [
    AWS4,
    GCS4,
    "AWSAccessKeyId={0}&Expires={0}&Signature={0}",
    "GoogleAccessId=me&Expires={0}&Signature={0}",
    "sv=2022-11-02&st={0}&se={0}&sr=b&sp=r&sig={0}",
    "sv={0}&skoid={0}&sktid={0}&skt={0}&ske={0}&sks=b&skv={0}&spr=https&se={0}&sr=b&sp=r&sig={0}",
    "Expires={0}&Signature={0}&Key-Pair-Id=K1",
    "Policy={0}&Signature={0}&Key-Pair-Id=K1",
    "signature={0}",
]


def named(media: Any, name: str | None = None) -> str:
    return name_of(Packet.model_validate({"media": media, "original_filename": name}))


def url(path: str, query: str = "") -> dict[str, str]:
    return {"url": f"https://bucket.test/{path}" + (f"?{query}" if query else "")}


@steady
@given(st.text(max_size=60))
def test_what_the_server_keeps_of_a_name_holds_only_allowed_characters_3_6(name: str):
    stored = stored_upload_name(name)
    assert re.fullmatch(r"[A-Za-z0-9._-]*", stored)
    assert stored_upload_name(stored) == stored


@steady
@given(st.text(max_size=60))
def test_it_is_what_the_emulated_server_keeps(name: str):
    assert stored_upload_name(name) == sanitized(name)


@pytest.mark.parametrize(
    "name, stored",
    [
        ("my dir/ä b.PNG", "my_dir_a_b.PNG"),
        ("dir/child-0.PNG", "dir_child-0.PNG"),
        ("../../etc/a.png", "etc_a.png"),
        ("日本.png", "png"),
        ("a\tb  c.jpg", "a_b_c.jpg"),
    ],
)
def test_names_as_observed_3_6_and_4_2(name: str, stored: str):
    assert stored_upload_name(name) == stored


def test_a_name_from_the_user_is_kept_unless_it_is_uploaded():
    assert named(url("a.jpg"), "my dir/ä b.PNG") == "my dir/ä b.PNG"
    assert named({"text_data": "t"}, "T") == "T"
    assert named({"path": "/x/a.png"}, "my dir/ä b.PNG") == "my_dir_a_b.PNG"


@steady
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00/"), max_size=20))
def test_a_derived_name_is_deterministic_and_keeps_its_media_type(stem: str):
    path = f"/data/x{stem}.PNG"
    name = named({"path": path})
    assert name == named({"path": path})
    assert media_type_of(name) == "image"
    assert stored_upload_name(name) == name


def test_files_of_one_base_name_in_two_folders_have_two_names_3_6():
    assert len({named({"path": f"/{folder}/1.jpg"}) for folder in "ab"}) == 2
    assert len({named(url(f"{folder}/1.jpg")) for folder in "ab"}) == 2
    blobs = [
        {"connection_id": 1, "bucket_name": b, "raw_data_blob_path": p} for b in "xy" for p in ("a/1", "b/1")
    ]
    assert len({named(blob) for blob in blobs}) == 4


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_url_signed_anew_has_the_same_name_and_shows_no_signature(signature: str):
    path = "dir/cat.v2.jpg"
    first, second = (named(url(path, signature.format(stamp))) for stamp in ("111", "222"))
    assert first == second == named(url(path))
    assert re.fullmatch(r"cat\.v2-[0-9a-f]{8}\.jpg", first)


def test_a_query_that_says_which_picture_stays_part_of_the_name():
    assert named(url("a.jpg", "page=1")) != named(url("a.jpg", "page=2"))
    assert named(url("a.jpg", "page=1&sig=5&se=1")) == named(url("a.jpg", "page=1&sig=6&se=2"))
    assert named(url("a.jpg", "version=&id=3")) != named(url("a.jpg", "version=&id=4"))


def test_a_url_without_extension_needs_a_name_quirk_35():
    signed = url("image", "X-Amz-Signature=0123456789")
    with pytest.raises(InvalidValueError, match="extension") as caught:
        named(signed)
    assert "0123456789" not in str(caught.value)
    assert named(signed, "a.jpg") == "a.jpg"
    with pytest.raises(InvalidValueError):
        named({"url": "https://h/a.jpg", "type": "video"})


def test_an_uploaded_name_of_which_nothing_is_left_is_refused():
    with pytest.raises(InvalidValueError, match="only the extension is left of it"):
        named({"path": "/a.png"}, "(!).png")


@pytest.mark.parametrize(
    "name, stem", [("写真001", "001"), ("日本", "file"), ("x/Søren", "Sren"), ("٤", "file")]
)
def test_uploaded_names_that_lose_letters_are_told_apart(name: str, stem: str):
    """The server would store both as one name, and the second one would be skipped as there already."""
    kept = named({"path": "/a.png"}, f"{name}.PNG")
    assert re.fullmatch(rf"{stem}-[0-9a-f]{{8}}\.PNG", kept)
    assert stored_upload_name(kept) == kept
    assert kept == named({"path": "/elsewhere/b.png"}, f"{name}.PNG")
    assert kept != named({"path": "/a.png"}, f"{name}あ.PNG")


def test_an_accent_or_a_sign_is_no_letter():
    assert named({"path": "/a.png"}, "Bär & Café.png") == "Bar__Cafe.png"
    assert re.fullmatch(r"file-[0-9a-f]{8}\.png", named({"path": "/日本.png"}))
