from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse(f"style: {static('shop.css')}\n"))]
