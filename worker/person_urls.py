from django.urls import path

from worker.views import person

routes = [
    path("account/data/", person.mine, name="my_data"),
    path("account/data/file/", person.my_file, name="my_file"),
    path("people/", person.index, name="people"),
    path("people/<int:pk>/", person.detail, name="person"),
    path("people/<int:pk>/file/", person.file, name="person_file"),
    path("people/<int:pk>/erase/", person.erase, name="person_erase"),
]
