from __future__ import annotations

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.web.site import Web


@pytest.fixture
def web(http_client: AsyncHTTPClient, base_url: str) -> Web:
    return Web(http_client, base_url)
